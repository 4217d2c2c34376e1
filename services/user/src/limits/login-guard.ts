import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { tooMany } from "../http/problem.js";
import type { Dependency } from "../stores/dependency.js";
import { clientKey } from "./client.js";

interface LoginGuardOptions {
  /** Failures before one client is locked out of one account. */
  readonly perAccountAndClient: number;
  /** Failures before an account is locked for everyone, against many clients that guess together. */
  readonly perAccount: number;
  readonly lockSeconds: number;
}

/** Addresses are personal data: keys hold their hash. Unknown accounts are counted like known ones. */
const hashed = (text: string) => createHash("sha256").update(text).digest("base64url");

/**
 * Locks out who guesses passwords, shared by all instances in Redis. An attempt is counted before the password is
 * checked, so that a thousand guesses at once get no further than one after another, and given back if it was right.
 *
 * Without Redis there is no attempt: it could not be counted, nor could a session begin.
 */
export class LoginGuard {
  private readonly together: RateLimiterRedis;
  private readonly account: RateLimiterRedis;

  constructor(
    redis: Redis,
    private readonly dependency: Dependency,
    { perAccountAndClient, perAccount, lockSeconds }: LoginGuardOptions,
  ) {
    const common = { storeClient: redis, duration: lockSeconds, blockDuration: lockSeconds };
    this.together = new RateLimiterRedis({
      ...common,
      keyPrefix: "user:login:client",
      points: perAccountAndClient,
    });
    this.account = new RateLimiterRedis({ ...common, keyPrefix: "user:login:account", points: perAccount });
  }

  /**
   * Counts an attempt.
   *
   * @throws {Problem} 429 with Retry-After when there were too many.
   */
  async begin(account: string, address: string): Promise<LoginAttempt> {
    const accountKey = hashed(account);
    const togetherKey = hashed(`${account} ${clientKey(address)}`);
    await this.count(this.together, togetherKey);
    await this.count(this.account, accountKey);
    return {
      succeeded: () =>
        this.dependency.write("forget failures", async () => {
          await this.together.delete(togetherKey);
          await this.account.reward(accountKey, 1);
        }),
      undone: () =>
        this.dependency.write("give back attempt", async () => {
          await this.together.reward(togetherKey, 1);
          await this.account.reward(accountKey, 1);
        }),
    };
  }

  private async count(limiter: RateLimiterRedis, key: string): Promise<void> {
    const refused = await this.dependency.write("count attempt", () =>
      limiter.consume(key).then(() => undefined, asRefusal),
    );
    if (refused === undefined) return;
    throw tooMany(
      "too-many-attempts",
      "Too many attempts to log in failed. Try again later.",
      refused.msBeforeNext,
    );
  }
}

/** An attempt that was counted as failed until one of these says otherwise. */
export interface LoginAttempt {
  /** The password was right. */
  readonly succeeded: () => Promise<void>;
  /** The password was not looked at. */
  readonly undone: () => Promise<void>;
}

/** The limiter rejects with its result when there are no points left, and with an error when Redis is away. */
function asRefusal(reason: unknown): RateLimiterRes {
  if (reason instanceof RateLimiterRes) return reason;
  throw reason;
}
