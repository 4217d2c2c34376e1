import { trace } from "@opentelemetry/api";
import type { ErrorRequestHandler, RequestHandler, Response } from "express";
import type { Logger } from "pino";
import { DependencyUnavailable } from "../stores/dependency.js";
import { Problem, unavailable } from "./problem.js";

const RETRY_AFTER_OUTAGE_SECONDS = 2;

/** What body-parser and Express throw for requests that they cannot read. */
const SLUGS = new Map([
  [400, "malformed-request"],
  [413, "content-too-large"],
  [415, "unsupported-media-type"],
]);

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof DependencyUnavailable) {
    return unavailable("A part of the service is not available.", RETRY_AFTER_OUTAGE_SECONDS, error);
  }
  const status = error instanceof Error && "status" in error ? Number(error.status) : 500;
  const slug = SLUGS.get(status);
  return slug === undefined
    ? new Problem(500, "internal-error", { cause: error })
    : new Problem(status, slug);
}

function send(response: Response, problem: Problem, instance: string): void {
  const traceId = trace.getActiveSpan()?.spanContext().traceId;
  response
    .status(problem.status)
    .set({ "Cache-Control": "no-store", ...problem.headers })
    .type("application/problem+json")
    .send(JSON.stringify(problem.toDocument(instance, traceId)));
}

/** Turns whatever was thrown into a problem document; causes go to the log only. */
export function errorHandler(log: Logger): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error: unknown, request, response, next) => {
    const problem = toProblem(error);
    if (problem.status === 500) log.error({ err: problem.cause ?? problem }, "request failed");
    else if (problem.status === 503)
      log.warn({ reason: describe(problem.cause ?? problem) }, "request turned away");
    if (response.headersSent) {
      next(error);
      return;
    }
    send(response, problem, request.path);
  };
}

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
};

export const notFound: RequestHandler = () => {
  throw new Problem(404, "not-found");
};

/** Answers for a path that exists with other methods. */
export function methodNotAllowed(methods: readonly string[]): RequestHandler {
  return () => {
    throw new Problem(405, "method-not-allowed", { headers: { Allow: methods.join(", ") } });
  };
}
