import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { pino } from "pino";
import type { TokenSet } from "../../src/auth/authentication.js";
import { readConfig } from "../../src/config.js";
import { startService, type Service } from "../../src/service.js";
import { createLogger } from "../../src/telemetry/logger.js";
import { startTracing } from "../../src/telemetry/tracing.js";
import { newKeySet } from "../../src/tokens/key-set.js";
import { assertDocumented } from "./contract.js";
import { openStores, stores, type TestStores } from "./stores.js";

export const PASSWORD = "correct horse battery";

/** What a problem document says, as far as tests look at it. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: { pointer: string; detail: string }[];
  trace_id?: string;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
  readonly text: string;
}

interface CallOptions {
  readonly token?: string;
  readonly json?: unknown;
  /** Sent as it is, as JSON unless headers say otherwise. */
  readonly raw?: string | Uint8Array;
  readonly headers?: Record<string, string>;
}

/** A client of one instance. Every answer is checked against the OpenAPI description. */
export class Client {
  constructor(readonly base: string) {}

  async call<T = ProblemDocument>(
    method: string,
    path: string,
    options: CallOptions = {},
  ): Promise<Answer<T>> {
    const body = options.raw ?? (options.json === undefined ? null : JSON.stringify(options.json));
    const answer = await fetch(this.base + path, {
      method,
      body,
      headers: {
        ...(body !== null && { "content-type": "application/json" }),
        ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
        ...options.headers,
      },
    });
    const text = await answer.text();
    const isJson = (answer.headers.get("content-type") ?? "").includes("json");
    const parsed: unknown = isJson ? JSON.parse(text) : text === "" ? undefined : text;
    assertDocumented(method, path, answer, parsed);
    return { status: answer.status, headers: answer.headers, body: parsed as T, text };
  }

  /** A new user, logged in. */
  async register(email = someEmail()): Promise<TokenSet & { user: { id: string }; email: string }> {
    const { status, body } = await this.call<TokenSet & { user: { id: string } }>(
      "POST",
      "/api/v1/auth/register",
      {
        json: { email, password: PASSWORD, display_name: "Ada" },
      },
    );
    assert.equal(status, 201);
    return { ...body, email };
  }

  login(email: string, password = PASSWORD, headers: Record<string, string> = {}) {
    return this.call<TokenSet & ProblemDocument>("POST", "/api/v1/auth/login", {
      json: { email, password },
      headers,
    });
  }

  refresh(refresh_token: string) {
    return this.call<TokenSet & ProblemDocument>("POST", "/api/v1/auth/refresh", { json: { refresh_token } });
  }

  profile(token: string) {
    return this.call<Record<string, unknown>>("GET", "/api/v1/users/me", { token });
  }
}

/** An address that no other test uses: the stores are shared. */
export const someEmail = () => `user-${randomBytes(8).toString("hex")}@example.com`;

export const slug = ({ body }: Answer<ProblemDocument>) => body.type.split("/").at(-1);

export type Overrides = Readonly<Record<string, string>>;

/** An environment for the service, with the settings that make tests quick. */
export async function environment(
  database: string,
  overrides: Overrides = {},
): Promise<Record<string, string>> {
  return {
    HOST: "127.0.0.1",
    PORT: "0",
    LOG_LEVEL: "silent",
    MONGODB_URL: stores.mongoUrl,
    MONGODB_DATABASE: database,
    REDIS_URL: stores.redisUrl,
    BCRYPT_COST: "10",
    HASH_THREADS: "2",
    RATE_LIMITS: "off",
    SHUTDOWN_DELAY_SECONDS: "0",
    JWT_KEYS: "JWT_KEYS_FILE" in overrides ? "" : JSON.stringify(await newKeySet()),
    ...overrides,
  };
}

/** Instances of the service in this process, with a database of their own; closed by the suite that opened them. */
export class Harness {
  readonly lines: string[] = [];
  private readonly services: Service[] = [];
  private readonly stopTracing = startTracing(undefined);

  private constructor(readonly stores: TestStores) {}

  static async open(options?: { migrated: boolean }): Promise<Harness> {
    return new Harness(await openStores(options));
  }

  async close(): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop()));
    await this.stores.close();
    await this.stopTracing();
  }

  /** Starts an instance that logs into `lines`. */
  async start(overrides: Overrides = {}): Promise<Client> {
    const config = readConfig(await environment(this.stores.database.databaseName, overrides));
    const log = overrides["LOG_LEVEL"]
      ? createLogger(config.LOG_LEVEL, { write: (line) => void this.lines.push(line) })
      : pino({ level: "silent" });
    const service = await startService(config, log);
    this.services.push(service);
    return new Client(`http://127.0.0.1:${service.port}`);
  }
}
