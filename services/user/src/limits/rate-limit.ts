import type { RequestHandler } from "express";
import type { Redis } from "ioredis";
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { tooMany } from "../http/problem.js";
import type { Route } from "../http/routes-file.js";
import { clientKey } from "./client.js";

const WINDOW_SECONDS = 60;

/**
 * Limits a route's requests per client, counted in Redis for all instances together. Without Redis each instance counts
 * for itself: that is weaker than the limit, but neither lets everything through nor turns everybody away.
 */
export function rateLimit(redis: Redis, route: Route): RequestHandler {
  const points = route.rateLimit.perMinute;
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    rejectIfRedisNotReady: true,
    keyPrefix: `user:rate:${route.name}`,
    points,
    duration: WINDOW_SECONDS,
    insuranceLimiter: new RateLimiterMemory({ points, duration: WINDOW_SECONDS }),
  });
  return async (request, response, next) => {
    try {
      const { remainingPoints } = await limiter.consume(clientKey(request.ip ?? "unknown"));
      response.set("RateLimit-Policy", `"${route.name}";q=${points};w=${WINDOW_SECONDS}`);
      response.set("RateLimit", `"${route.name}";r=${remainingPoints}`);
    } catch (reason) {
      if (!(reason instanceof RateLimiterRes)) throw reason;
      throw tooMany("rate-limited", "Too many requests. Try again later.", reason.msBeforeNext);
    }
    next();
  };
}
