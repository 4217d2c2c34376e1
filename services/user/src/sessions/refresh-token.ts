import { createHash, randomBytes } from "node:crypto";

const FAMILY_BYTES = 32;
const SECRET_BYTES = 32;
const TOKEN_LENGTH = Math.ceil(((FAMILY_BYTES + SECRET_BYTES) * 4) / 3);
const FORM = new RegExp(`^[A-Za-z0-9_-]{${TOKEN_LENGTH}}$`);

/**
 * A refresh token: 256 random bits that stay the same through a session (its family), and 256 that change on every rotation.
 *
 * The session's id is a hash of the family part. So who only knows the id, which every access token shows, cannot make
 * up a token that passes for a used one of that family and gets it revoked; and nothing about used tokens has to be kept.
 */
export interface RefreshToken {
  readonly text: string;
  readonly sessionId: string;
  /** SHA-256 of the changing part; all that is ever stored. A fast hash is enough for 256 random bits. */
  readonly secretHash: string;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();

function fromBytes(bytes: Buffer): RefreshToken {
  return {
    text: bytes.toString("base64url"),
    sessionId: sha256(bytes.subarray(0, FAMILY_BYTES)).subarray(0, 16).toString("base64url"),
    secretHash: sha256(bytes.subarray(FAMILY_BYTES)).toString("base64url"),
  };
}

/** The first token of a new session. */
export function newRefreshToken(): RefreshToken {
  return fromBytes(randomBytes(FAMILY_BYTES + SECRET_BYTES));
}

/** The token as it was given, or undefined when it cannot be one. */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  if (!FORM.test(text)) return undefined;
  return fromBytes(Buffer.from(text, "base64url"));
}

/** The same session's next token. */
export function successorOf(token: RefreshToken): RefreshToken {
  const family = Buffer.from(token.text, "base64url").subarray(0, FAMILY_BYTES);
  return fromBytes(Buffer.concat([family, randomBytes(SECRET_BYTES)]));
}
