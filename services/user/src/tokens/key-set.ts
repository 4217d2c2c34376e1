import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { z } from "zod";

/**
 * A signing key's life: `next` is published so that every verifier knows it before it signs, `current` signs,
 * `previous` no longer signs but its tokens are still honoured. It then has no private part any more.
 */
export const KEY_STATUSES = ["next", "current", "previous"] as const;
export type KeyStatus = (typeof KEY_STATUSES)[number];

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be 32 bytes in base64url");

const key = z.object({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  alg: z.literal("ES256"),
  use: z.literal("sig"),
  kid: z.string().min(1).max(128),
  status: z.enum(KEY_STATUSES),
  x: coordinate,
  y: coordinate,
  d: coordinate.optional(),
});

const count = (keys: readonly { status: KeyStatus }[], status: KeyStatus) =>
  keys.filter((candidate) => candidate.status === status).length;

const keySet = z
  .object({ keys: z.array(key).min(1).max(8) })
  .refine(({ keys }) => count(keys, "current") === 1, "exactly one key must have the status `current`")
  .refine(({ keys }) => count(keys, "next") <= 1, "at most one key may have the status `next`")
  .refine(
    ({ keys }) => keys.every(({ status, d }) => status === "previous" || d !== undefined),
    "the keys `current` and `next` need their private part `d`",
  )
  .refine(
    ({ keys }) => new Set(keys.map(({ kid }) => kid)).size === keys.length,
    "every `kid` must be unique",
  );

/** A JWK (RFC 7517) with the additional member `status`. */
export type SigningKey = z.output<typeof key>;
/** The secret key set that the service is given. */
export type KeySet = z.output<typeof keySet>;

/** The key set is unusable; the message never repeats any of it. */
export class KeySetError extends Error {
  override name = "KeySetError";
}

/**
 * Reads a key set from its JSON text.
 *
 * @throws {KeySetError} when it is not JSON or not a set with exactly one current ES256 key.
 */
export function parseKeySet(text: string): KeySet {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new KeySetError("The JWT key set is not JSON. `npm run keys -- new` makes one.");
  }
  const parsed = keySet.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join(".") || "the set"}: ${issue.message}`);
  throw new KeySetError(`The JWT key set is not valid: ${faults.join("; ")}`);
}

/** The parts of a key that anyone may know. */
export function publicPart({ kty, crv, alg, use, kid, x, y }: SigningKey): JWK {
  return { kty, crv, alg, use, kid, x, y };
}

async function generate(status: KeyStatus): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  return key.parse({ ...jwk, alg: "ES256", use: "sig", kid: await calculateJwkThumbprint(jwk), status });
}

/** A new set: a key that signs, and the one that will. */
export async function newKeySet(): Promise<KeySet> {
  return { keys: [await generate("next"), await generate("current")] };
}

/**
 * Moves every key on by one step and makes a new `next`. What was `previous` goes, what becomes it loses its private part.
 * Between two rotations there must be time for every verifier to fetch the JWKS, and for the last token to expire.
 */
export async function rotateKeySet({ keys }: KeySet): Promise<KeySet> {
  const current = keys.find(({ status }) => status === "current");
  const next = keys.find(({ status }) => status === "next") ?? (await generate("next"));
  const rotated: SigningKey[] = [await generate("next"), { ...next, status: "current" }];
  if (current !== undefined) {
    rotated.push({ ...key.omit({ d: true }).parse(current), status: "previous" });
  }
  return { keys: rotated };
}
