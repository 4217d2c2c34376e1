import { availableParallelism } from "node:os";
import { z } from "zod";

/** Comma-separated list, without empty entries. */
const list = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ""),
  );

const seconds = (fallback: number, minimum = 1) => z.coerce.number().int().min(minimum).default(fallback);

const origins = list.refine(
  (entries) => entries.every((entry) => URL.canParse(entry) && new URL(entry).origin === entry),
  "must be origins like https://shop.example, separated by commas",
);

const environment = z
  .object({
    HOST: z
      .union([z.ipv4(), z.ipv6(), z.hostname()], "must be an address or a host name of this machine")
      .default("0.0.0.0"),
    PORT: z.coerce.number().int().min(0).max(65535).default(3000),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
    // Not a URL to a URL parser: it may name several hosts.
    MONGODB_URL: z
      .string()
      .regex(/^mongodb(\+srv)?:\/\/\S+$/, "must begin with mongodb:// or mongodb+srv://"),
    MONGODB_DATABASE: z.string().min(1).default("users"),
    REDIS_URL: z.url({ protocol: /^rediss?$/ }),
    JWT_KEYS: z.string().optional(),
    JWT_KEYS_FILE: z.string().optional(),
    JWT_ISSUER: z.url().default("https://auth.cloudcommerce.example"),
    JWT_AUDIENCE: z.string().min(1).default("cloudcommerce"),
    ACCESS_TOKEN_TTL_SECONDS: seconds(600, 30),
    SESSION_IDLE_SECONDS: seconds(14 * 86_400, 60),
    SESSION_MAX_SECONDS: seconds(90 * 86_400, 60),
    SESSIONS_PER_USER: z.coerce.number().int().min(1).max(1000).default(20),
    REFRESH_GRACE_SECONDS: seconds(10, 0),
    RECENT_LOGIN_SECONDS: seconds(900),
    BCRYPT_COST: z.coerce.number().int().min(10).max(15).default(12),
    HASH_THREADS: z.coerce.number().int().min(1).max(64).default(availableParallelism()),
    HASH_QUEUE_LIMIT: z.coerce.number().int().min(1).optional(),
    LOGIN_FAILURES_PER_ACCOUNT: z.coerce.number().int().min(1).default(50),
    LOGIN_FAILURES_PER_ACCOUNT_AND_CLIENT: z.coerce.number().int().min(1).default(5),
    LOGIN_LOCK_SECONDS: seconds(900),
    RATE_LIMITS: z.enum(["on", "off"]).default("on"),
    CORS_ALLOWED_ORIGINS: origins,
    TRUSTED_PROXIES: list,
    SHUTDOWN_DELAY_SECONDS: seconds(5, 0),
    SHUTDOWN_TIMEOUT_SECONDS: seconds(25),
    OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  })
  .refine((values) => (values.JWT_KEYS === undefined) !== (values.JWT_KEYS_FILE === undefined), {
    path: ["JWT_KEYS_FILE"],
    message: "give exactly one of JWT_KEYS and JWT_KEYS_FILE (`npm run keys -- new` makes a key set)",
  })
  .transform((values) => ({
    ...values,
    HASH_QUEUE_LIMIT: values.HASH_QUEUE_LIMIT ?? 16 * values.HASH_THREADS,
  }));

export type Config = Readonly<z.output<typeof environment>>;

/** The environment does not describe a service that can run; the message names every variable at fault. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/**
 * Reads and validates the configuration. Variables set to the empty string count as unset.
 *
 * @throws {ConfigError} naming each variable that is missing or wrong; values are never repeated, as they may be secrets.
 */
export function readConfig(variables: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const parsed = environment.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new ConfigError(`The environment is not valid:\n${lines.join("\n")}`);
}
