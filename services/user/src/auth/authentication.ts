import { v7 as uuidv7 } from "uuid";
import type { Logger } from "pino";
import { Problem, unauthorized } from "../http/problem.js";
import type { LoginGuard } from "../limits/login-guard.js";
import type { PasswordHasher } from "../passwords/hasher.js";
import { parseRefreshToken, type RefreshToken } from "../sessions/refresh-token.js";
import type { Sessions } from "../sessions/sessions.js";
import { logins, refreshes, registrations } from "../telemetry/metrics.js";
import type { AccessTokens, Identity } from "../tokens/access-token.js";
import { emailKey } from "../users/email.js";
import { toProfile, type Profile, type User } from "../users/user.js";
import type { UserRepository } from "../users/user-repository.js";
import type { Credentials, PasswordChange, Registration } from "./schemas.js";

/** What a client gets to act as a user (RFC 6749, 5.1). */
export interface TokenSet {
  readonly access_token: string;
  readonly token_type: "Bearer";
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly refresh_expires_in: number;
}

interface Parts {
  readonly users: UserRepository;
  readonly sessions: Sessions;
  readonly accessTokens: AccessTokens;
  readonly hasher: PasswordHasher;
  readonly guard: LoginGuard;
  readonly log: Logger;
}

const invalidCredentials = () =>
  unauthorized("invalid-credentials", "The e-mail address or the password is not right.");
const invalidRefreshToken = () =>
  unauthorized("invalid-refresh-token", "The refresh token is not valid. Log in again.");

/** Registration, login, and the life of sessions. */
export class Authentication {
  constructor(private readonly parts: Parts) {}

  /** @throws {Problem} 409 when the address is taken. */
  async register(input: Registration): Promise<TokenSet & { user: Profile }> {
    const now = new Date();
    const user: User = {
      _id: uuidv7(),
      email: input.email,
      email_key: emailKey(input.email),
      password_hash: await this.parts.hasher.hash(input.password),
      display_name: input.display_name,
      phone: null,
      locale: input.locale,
      roles: ["customer"],
      session_epoch: 0,
      version: 1,
      created_at: now,
      updated_at: now,
    };
    try {
      await this.parts.users.insert(user);
    } catch (error) {
      registrations.inc({ outcome: error instanceof Problem ? "email_taken" : "error" });
      throw error;
    }
    registrations.inc({ outcome: "registered" });
    return { user: toProfile(user), ...(await this.beginSession(user)) };
  }

  /**
   * An unknown address and a wrong password take the same work and get the same answer.
   *
   * @throws {Problem} 401 for wrong credentials, 429 after too many of them.
   */
  async login({ email, password }: Credentials, address: string): Promise<TokenSet> {
    try {
      const user = await this.checkPassword(emailKey(email), password, address);
      const tokens = await this.beginSession(user);
      logins.inc({ outcome: "ok" });
      return tokens;
    } catch (error) {
      logins.inc({ outcome: outcomeOf(error) });
      throw error;
    }
  }

  /** @throws {Problem} 401 for a token that is not valid any more, 409 when another request just used it. */
  async refresh(text: string): Promise<TokenSet> {
    const token = parseRefreshToken(text);
    const user = token && (await this.userOf(token));
    if (token === undefined || user === undefined) {
      refreshes.inc({ outcome: "unknown" });
      throw invalidRefreshToken();
    }
    const { rotation, successor } = await this.parts.sessions.rotate(token);
    refreshes.inc({ outcome: rotation });
    switch (rotation) {
      case "rotated":
        return this.tokenSet(user.user, successor, user.authenticatedAt);
      case "conflict":
        throw new Problem(409, "refresh-conflict", {
          detail: "Another request has just used this refresh token. Go on with the tokens that it got.",
        });
      case "reused":
        this.parts.log.warn(
          { user_id: user.user._id },
          "a used refresh token came back: its session was ended",
        );
        throw invalidRefreshToken();
      case "unknown":
        throw invalidRefreshToken();
    }
  }

  /** Ends the session of a refresh token. One that is not known, or is not a token, has nothing to end. */
  async logout(text: string): Promise<void> {
    const token = parseRefreshToken(text);
    if (token !== undefined) await this.parts.sessions.end(token.sessionId);
  }

  /**
   * Changes the password, ends every session and begins a new one for who asked.
   *
   * @throws {Problem} 401 when the present password is wrong, 409 when it was changed at the same time.
   */
  async changePassword(identity: Identity, change: PasswordChange, address: string): Promise<TokenSet> {
    const { users, hasher, sessions } = this.parts;
    const account = await users.findById(identity.userId);
    if (account === null) throw invalidCredentials();
    const user = await this.checkPassword(account.email_key, change.current_password, address);
    const hash = await hasher.hash(change.new_password);
    const changed = await users.changePassword(user._id, user.password_hash, hash);
    if (changed === null) {
      throw new Problem(409, "password-conflict", { detail: "The password was changed at the same time." });
    }
    await sessions.endAll(user._id);
    return this.beginSession(changed);
  }

  /** Deletes the account and all personal data in it, and ends every session. */
  async deleteAccount(userId: string): Promise<void> {
    await this.parts.users.delete(userId);
    await this.parts.sessions.endAll(userId);
  }

  private async checkPassword(key: string, password: string, address: string): Promise<User> {
    const { users, hasher, guard, log } = this.parts;
    const attempt = await guard.begin(key, address);
    let user: User | null;
    let right: boolean;
    try {
      user = await users.findByEmailKey(key);
      right = await hasher.verify(password, user?.password_hash);
    } catch (error) {
      // Overload or an outage is nobody's failure. If it cannot be given back, that error matters less than this one.
      await attempt.undone().catch((reason: unknown) => {
        log.warn({ err: reason }, "an attempt to log in was not given back");
      });
      throw error;
    }
    if (user === null || !right) throw invalidCredentials();
    await attempt.succeeded();
    return this.withPresentCost(user, password);
  }

  /** Follows a change of the bcrypt cost, at the only moment when the password is known. */
  private async withPresentCost(user: User, password: string): Promise<User> {
    const { hasher, users, log } = this.parts;
    if (!hasher.isOutdated(user.password_hash)) return user;
    try {
      const hash = await hasher.hash(password);
      await users.replaceHash(user._id, user.password_hash, hash);
      return { ...user, password_hash: hash };
    } catch (error) {
      log.warn({ err: error }, "a password hash keeps its old cost until the next login");
      return user;
    }
  }

  /** The user of a session that is still good, read before its token is used up: then an outage of MongoDB costs no session. */
  private async userOf(token: RefreshToken): Promise<{ user: User; authenticatedAt: Date } | undefined> {
    const { sessions, users } = this.parts;
    const session = await sessions.find(token.sessionId);
    if (session === undefined) return undefined;
    const user = await users.findById(session.userId);
    if (user?.session_epoch === session.epoch) return { user, authenticatedAt: session.createdAt };
    await sessions.end(token.sessionId);
    return undefined;
  }

  private async beginSession(user: User): Promise<TokenSet> {
    const token = await this.parts.sessions.begin(user);
    return this.tokenSet(user, token, new Date());
  }

  private async tokenSet(user: User, refreshToken: RefreshToken, authenticatedAt: Date): Promise<TokenSet> {
    const { accessTokens, sessions } = this.parts;
    const { sessionId } = refreshToken;
    return {
      access_token: await accessTokens.issue({
        userId: user._id,
        sessionId,
        roles: user.roles,
        authenticatedAt,
      }),
      token_type: "Bearer",
      expires_in: accessTokens.lifetimeSeconds,
      refresh_token: refreshToken.text,
      refresh_expires_in: sessions.idleSeconds,
    };
  }
}

function outcomeOf(error: unknown): string {
  if (!(error instanceof Problem)) return "error";
  if (error.status === 401) return "wrong_credentials";
  return error.status === 429 ? "locked_out" : "refused";
}
