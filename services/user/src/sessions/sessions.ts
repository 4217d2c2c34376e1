import type { Redis } from "ioredis";
import type { Dependency } from "../stores/dependency.js";
import type { User } from "../users/user.js";
import { newRefreshToken, successorOf, type RefreshToken } from "./refresh-token.js";
import { withSessionScripts, type Rotation, type SessionScripts } from "./scripts.js";

const sessionKey = (sessionId: string) => `session:auth:${sessionId}`;
const indexKey = (userId: string) => `session:auth-user:${userId}`;

interface SessionOptions {
  readonly idleSeconds: number;
  readonly maxSeconds: number;
  readonly graceSeconds: number;
  readonly perUser: number;
}

/** A session as stored, without its secrets. */
export interface Session {
  readonly userId: string;
  readonly epoch: number;
  readonly createdAt: Date;
}

export type { Rotation };

/**
 * Sessions live in Redis, shared by all instances. A session is a family of refresh tokens, of which only the latest is
 * good; it ends when unused for `idleSeconds`, and `maxSeconds` after it began in any case.
 *
 * A Redis that loses a session only makes a user log in again. What must not be lost, that a password was changed or an
 * account deleted, is in MongoDB: the user's session epoch.
 */
export class Sessions {
  private readonly redis: Redis & SessionScripts;

  constructor(
    redis: Redis,
    private readonly dependency: Dependency,
    private readonly options: SessionOptions,
    private readonly now: () => number = Date.now,
  ) {
    this.redis = withSessionScripts(redis);
  }

  get idleSeconds(): number {
    return this.options.idleSeconds;
  }

  /** Begins a session; the user's oldest one ends when there are too many. */
  async begin(user: Pick<User, "_id" | "session_epoch">): Promise<RefreshToken> {
    const token = newRefreshToken();
    const { idleSeconds, maxSeconds, perUser } = this.options;
    const surplus = await this.dependency.write("begin session", () =>
      this.redis.createSession(
        sessionKey(token.sessionId),
        indexKey(user._id),
        user._id,
        token.secretHash,
        user.session_epoch,
        this.now(),
        idleSeconds * 1000,
        maxSeconds * 1000,
        perUser,
        token.sessionId,
      ),
    );
    await this.delete(surplus);
    return token;
  }

  /** The session that a token or an identity names, whether or not the token is its latest. */
  async find(sessionId: string): Promise<Session | undefined> {
    const [userId, epoch, created] = await this.dependency.read("find session", () =>
      this.redis.hmget(sessionKey(sessionId), "user", "epoch", "created"),
    );
    if (userId == null) return undefined;
    return { userId, epoch: Number(epoch), createdAt: new Date(Number(created)) };
  }

  /**
   * Replaces the session's token. Of several callers with the same token one gets `rotated`; the others get `conflict`
   * within the grace time (two tabs, a retried request), and `reused` after it, which ends the session.
   */
  async rotate(token: RefreshToken): Promise<{ rotation: Rotation; successor: RefreshToken }> {
    const successor = successorOf(token);
    const { idleSeconds, graceSeconds } = this.options;
    const rotation = await this.dependency.write("rotate session", () =>
      this.redis.rotateSession(
        sessionKey(token.sessionId),
        token.secretHash,
        successor.secretHash,
        this.now(),
        idleSeconds * 1000,
        graceSeconds * 1000,
      ),
    );
    return { rotation, successor };
  }

  /** Ends one session. Ending it twice is no error. */
  async end(sessionId: string): Promise<void> {
    await this.delete([sessionId]);
  }

  /** Ends every session of a user. */
  async endAll(userId: string): Promise<void> {
    const ids = await this.dependency.read("list sessions", () =>
      this.redis.zrange(indexKey(userId), "0", "-1"),
    );
    await this.delete(ids);
    if (ids.length > 0) {
      await this.dependency.write("forget sessions", () => this.redis.zrem(indexKey(userId), ...ids));
    }
  }

  private async delete(sessionIds: readonly string[]): Promise<void> {
    if (sessionIds.length === 0) return;
    await this.dependency.write("end session", () => this.redis.del(...sessionIds.map(sessionKey)));
  }
}
