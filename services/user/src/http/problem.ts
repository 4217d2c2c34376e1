import { STATUS_CODES } from "node:http";

const TYPE_BASE = "https://cloudcommerce.example/problems/";

/** One fault of a request; `pointer` is a JSON Pointer (RFC 6901) into its body. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

interface ProblemOptions {
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer that is an error, as RFC 9457 describes it. Everything in it is shown to the client. */
export class Problem extends Error {
  override name = "Problem";
  readonly title: string;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly status: number,
    readonly slug: string,
    options: ProblemOptions = {},
  ) {
    const title = options.title ?? STATUS_CODES[status] ?? "Error";
    super(options.detail ?? title, { cause: options.cause });
    this.title = title;
    this.detail = options.detail;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }

  /** The members of the problem document. */
  toDocument(instance: string, traceId: string | undefined): Record<string, unknown> {
    return {
      type: TYPE_BASE + this.slug,
      title: this.title,
      status: this.status,
      ...(this.detail !== undefined && { detail: this.detail }),
      instance,
      ...(this.errors !== undefined && { errors: this.errors }),
      ...(traceId !== undefined && { trace_id: traceId }),
    };
  }
}

/** A dependency is away or everything is taken: come back later. */
export function unavailable(detail: string, retryAfterSeconds: number, cause?: unknown): Problem {
  return new Problem(503, "unavailable", {
    detail,
    headers: { "Retry-After": String(Math.max(1, Math.ceil(retryAfterSeconds))) },
    cause,
  });
}

/** Too many requests or attempts; `slug` says of what. */
export function tooMany(slug: string, detail: string, retryAfterMs: number): Problem {
  return new Problem(429, slug, {
    detail,
    headers: { "Retry-After": String(Math.max(1, Math.ceil(retryAfterMs / 1000))) },
  });
}

/** No valid access token: RFC 6750 wants the reason in WWW-Authenticate too. */
export function unauthorized(slug: string, detail: string, error?: "invalid_token"): Problem {
  const challenge = error === undefined ? "Bearer" : `Bearer error="${error}"`;
  return new Problem(401, slug, { detail, headers: { "WWW-Authenticate": challenge } });
}
