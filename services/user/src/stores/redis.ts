import { Redis, ReplyError } from "ioredis";
import type { Logger } from "pino";
import { Dependency } from "./dependency.js";

const OUTAGE_REPLY = /^(LOADING|MASTERDOWN|READONLY|CLUSTERDOWN|TRYAGAIN)\b/;

/**
 * A client that fails at once while Redis is away, in place of queueing what nobody waits for any more, and that
 * connects again by itself. The first connection is begun by `connect()`.
 */
export function createRedis(url: string, log: Logger): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: 1_000,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000) * (0.5 + Math.random() / 2),
    // After a failover the old primary answers as a replica: connect again, to the new one.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
  });
  redis.on("error", (error: Error) => {
    log.warn({ err: error.message }, "redis connection failed");
  });
  return redis;
}

function isOutage(error: Error): boolean {
  return error instanceof ReplyError ? OUTAGE_REPLY.test(error.message) : true;
}

export function redisDependency(): Dependency {
  return new Dependency("redis", { timeoutMs: 1_000, isOutage });
}
