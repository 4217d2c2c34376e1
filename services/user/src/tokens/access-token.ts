import { errors, jwtVerify, SignJWT } from "jose";
import { v7 as uuidv7 } from "uuid";
import { z } from "zod";
import { unauthorized } from "../http/problem.js";
import { ROLES, type Role } from "../users/user.js";
import type { KeyRing } from "./key-ring.js";

const ALGORITHM = "ES256";
const TYPE = "at+jwt";
const CLOCK_SKEW_SECONDS = 30;

/** Who asks, and in which session. */
export interface Identity {
  readonly userId: string;
  readonly sessionId: string;
  readonly roles: readonly Role[];
  /** When the password was last given in this session. */
  readonly authenticatedAt: Date;
}

const claims = z.object({
  sub: z.uuid(),
  sid: z.string().min(1),
  jti: z.string().min(1),
  roles: z.array(z.enum(ROLES)),
  iat: z.number(),
  exp: z.number(),
  auth_time: z.number(),
});

interface AccessTokenOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly lifetimeSeconds: number;
}

/** Issues and checks access tokens (RFC 9068). */
export class AccessTokens {
  constructor(
    private readonly ring: KeyRing,
    private readonly options: AccessTokenOptions,
  ) {}

  get lifetimeSeconds(): number {
    return this.options.lifetimeSeconds;
  }

  async issue(identity: Identity): Promise<string> {
    const { kid, key } = this.ring.current;
    return new SignJWT({
      sid: identity.sessionId,
      roles: identity.roles,
      auth_time: Math.floor(identity.authenticatedAt.getTime() / 1000),
    })
      .setProtectedHeader({ alg: ALGORITHM, kid, typ: TYPE })
      .setIssuer(this.options.issuer)
      .setAudience(this.options.audience)
      .setSubject(identity.userId)
      .setJti(uuidv7())
      .setIssuedAt()
      .setExpirationTime(`${this.options.lifetimeSeconds} s`)
      .sign(key);
  }

  /**
   * The identity that a token proves.
   *
   * @throws {Problem} 401, whatever is wrong with the token; only its expiry is told apart.
   */
  async verify(token: string): Promise<Identity> {
    try {
      const { payload } = await jwtVerify(token, this.ring.verificationKey, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        issuer: this.options.issuer,
        audience: this.options.audience,
        clockTolerance: CLOCK_SKEW_SECONDS,
      });
      const { sub, sid, roles, auth_time } = claims.parse(payload);
      return { userId: sub, sessionId: sid, roles, authenticatedAt: new Date(auth_time * 1000) };
    } catch (error) {
      const detail =
        error instanceof errors.JWTExpired
          ? "The access token has expired."
          : "The access token is not valid.";
      throw unauthorized("invalid-token", detail, "invalid_token");
    }
  }
}
