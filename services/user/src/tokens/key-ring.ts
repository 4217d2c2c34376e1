import { readFile } from "node:fs/promises";
import { createLocalJWKSet, importJWK, type CryptoKey, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import type { Logger } from "pino";
import { parseKeySet, publicPart, type KeySet } from "./key-set.js";

interface Keys {
  readonly kid: string;
  readonly signingKey: CryptoKey;
  readonly verificationKey: JWTVerifyGetKey;
  readonly jwks: JSONWebKeySet;
}

/** The keys in use. They can be replaced while the service runs; a replacement is complete or does not happen. */
export class KeyRing {
  private constructor(private keys: Keys) {}

  static async from(text: string): Promise<KeyRing> {
    return new KeyRing(await load(parseKeySet(text)));
  }

  async replace(text: string): Promise<void> {
    this.keys = await load(parseKeySet(text));
  }

  get current(): { kid: string; key: CryptoKey } {
    return { kid: this.keys.kid, key: this.keys.signingKey };
  }

  /** Finds the key of a token by its `kid`, among all keys that are published. */
  get verificationKey(): JWTVerifyGetKey {
    return this.keys.verificationKey;
  }

  /** The public key set, as served at /.well-known/jwks.json. */
  get jwks(): JSONWebKeySet {
    return this.keys.jwks;
  }
}

async function load(set: KeySet): Promise<Keys> {
  const current = set.keys.find(({ status }) => status === "current");
  if (current === undefined) throw new Error("a parsed key set has a current key");
  const jwks = { keys: set.keys.map(publicPart) };
  return {
    kid: current.kid,
    signingKey: (await importJWK({ ...publicPart(current), d: current.d ?? "" }, "ES256")) as CryptoKey,
    verificationKey: createLocalJWKSet(jwks),
    jwks,
  };
}

/**
 * Follows the key file, as a mounted secret changes under a running pod. A file that cannot be read or is not valid
 * leaves the keys as they are and is logged.
 *
 * @returns the function that ends it.
 */
export function followKeyFile(ring: KeyRing, path: string, log: Logger, intervalMs = 30_000): () => void {
  let seen: string | undefined;
  const look = async () => {
    try {
      const text = await readFile(path, "utf8");
      if (text === seen) return;
      const first = seen === undefined;
      seen = text;
      await ring.replace(text);
      if (!first) log.info({ kid: ring.current.kid }, "signing keys replaced");
    } catch (error) {
      log.error({ err: error }, "the JWT key file was not taken over; the keys in use stay");
    }
  };
  const timer = setInterval(() => void look(), intervalMs);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
