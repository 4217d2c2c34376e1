import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Redis } from "ioredis";
import type { MongoClient } from "mongodb";
import type { Logger } from "pino";
import { Authentication } from "./auth/authentication.js";
import type { Config } from "./config.js";
import { createApp } from "./http/app.js";
import type { Readiness } from "./http/operations.js";
import { LoginGuard } from "./limits/login-guard.js";
import { PasswordHasher } from "./passwords/hasher.js";
import { Sessions } from "./sessions/sessions.js";
import type { Dependency } from "./stores/dependency.js";
import { connectMongo, mongoDependency } from "./stores/mongodb.js";
import { createRedis, redisDependency } from "./stores/redis.js";
import { AccessTokens } from "./tokens/access-token.js";
import { followKeyFile, KeyRing } from "./tokens/key-ring.js";
import { UserRepository } from "./users/user-repository.js";

/** Longer than a gateway keeps its idle connections, so that it never sends into one that is being closed. */
const KEEP_ALIVE_MS = 75_000;

/** A running service. */
export interface Service {
  readonly port: number;
  /** Stops taking part, lets requests under way end, and closes everything. */
  readonly stop: () => Promise<void>;
}

/** Puts the parts together and listens. Stores that are away do not keep it from starting, only from being ready. */
export async function startService(config: Config, log: Logger): Promise<Service> {
  const keys = await KeyRing.from(config.JWT_KEYS ?? (await readFile(config.JWT_KEYS_FILE ?? "", "utf8")));
  const unfollow = config.JWT_KEYS_FILE ? followKeyFile(keys, config.JWT_KEYS_FILE, log) : () => undefined;
  const mongo = connectMongo(config.MONGODB_URL);
  const redis = createRedis(config.REDIS_URL, log);
  // The failure of this first attempt is logged by the client, which goes on trying.
  await redis.connect().catch(() => undefined);
  const hasher = new PasswordHasher({
    cost: config.BCRYPT_COST,
    threads: config.HASH_THREADS,
    queueLimit: config.HASH_QUEUE_LIMIT,
  });
  let draining = false;
  const app = assemble({ config, log, keys, mongo, redis, hasher, isDraining: () => draining });
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 10_000, requestTimeout: 15_000 },
    app,
  );
  const release = async () => {
    unfollow();
    await Promise.all([hasher.close(), mongo.close(), closeRedis(redis)]);
  };
  try {
    server.listen(config.PORT, config.HOST);
    await once(server, "listening");
  } catch (error) {
    // What is open would keep a process alive that serves nobody.
    await release();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  log.info({ host: config.HOST, port }, "listening");
  return {
    port,
    stop: async () => {
      draining = true;
      await drain(server, config);
      await release();
    },
  };
}

interface Foundations {
  readonly config: Config;
  readonly log: Logger;
  readonly keys: KeyRing;
  readonly mongo: MongoClient;
  readonly redis: Redis;
  readonly hasher: PasswordHasher;
  readonly isDraining: () => boolean;
}

function assemble({ config, log, keys, mongo, redis, hasher, isDraining }: Foundations) {
  const mongoCalls = mongoDependency();
  const redisCalls = redisDependency();
  const users = new UserRepository(mongo.db(config.MONGODB_DATABASE), mongoCalls);
  const accessTokens = new AccessTokens(keys, {
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    lifetimeSeconds: config.ACCESS_TOKEN_TTL_SECONDS,
  });
  const sessions = new Sessions(redis, redisCalls, {
    idleSeconds: config.SESSION_IDLE_SECONDS,
    maxSeconds: config.SESSION_MAX_SECONDS,
    graceSeconds: config.REFRESH_GRACE_SECONDS,
    perUser: config.SESSIONS_PER_USER,
  });
  const guard = new LoginGuard(redis, redisCalls, {
    perAccountAndClient: config.LOGIN_FAILURES_PER_ACCOUNT_AND_CLIENT,
    perAccount: config.LOGIN_FAILURES_PER_ACCOUNT,
    lockSeconds: config.LOGIN_LOCK_SECONDS,
  });
  const authentication = new Authentication({ users, sessions, accessTokens, hasher, guard, log });
  const readiness = checkStores(users, mongoCalls, redis, redisCalls);
  return createApp({
    config, log, redis, authentication, accessTokens, sessions, users, keys, readiness, isDraining,
  }); // prettier-ignore
}

/** Without its indexes the service would let an address register twice, so it is not ready before they exist. */
function checkStores(
  users: UserRepository,
  mongo: Dependency,
  redis: Redis,
  redisCalls: Dependency,
): Readiness {
  let migrated = false;
  const checkMongo = async () => {
    if (migrated) await mongo.read("ping", () => users.ping());
    else migrated = await mongo.read("check indexes", () => users.isMigrated());
    return migrated ? "ok" : "not migrated";
  };
  const checkRedis = async () => {
    await redisCalls.read("ping", () => redis.ping());
    return "ok" as const;
  };
  const unavailable = () => "unavailable" as const;
  return async () => {
    const [mongodb, redisState] = await Promise.all([
      checkMongo().catch(unavailable),
      checkRedis().catch(unavailable),
    ]);
    return { mongodb, redis: redisState };
  };
}

/** Load balancers need a moment to see that the service is not ready any more; until then it answers as before. */
async function drain(server: Server, config: Config): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, config.SHUTDOWN_DELAY_SECONDS * 1000));
  const cut = setTimeout(() => {
    server.closeAllConnections();
  }, config.SHUTDOWN_TIMEOUT_SECONDS * 1000);
  // A connection whose last request ends while the server closes is kept alive: it has to be closed when it falls idle.
  const sweep = setInterval(() => {
    server.closeIdleConnections();
  }, 50);
  await new Promise((resolve) => server.close(resolve));
  clearInterval(sweep);
  clearTimeout(cut);
}

async function closeRedis(redis: Redis): Promise<void> {
  try {
    await redis.quit();
  } catch {
    redis.disconnect();
  }
}
