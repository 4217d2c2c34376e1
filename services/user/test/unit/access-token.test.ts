import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { importJWK, SignJWT, type JWTPayload } from "jose";
import { Problem } from "../../src/http/problem.js";
import { AccessTokens, type Identity } from "../../src/tokens/access-token.js";
import { KeyRing } from "../../src/tokens/key-ring.js";
import { newKeySet, rotateKeySet, type KeySet } from "../../src/tokens/key-set.js";

const ISSUER = "https://auth.cloudcommerce.example";
const AUDIENCE = "cloudcommerce";
const options = { issuer: ISSUER, audience: AUDIENCE, lifetimeSeconds: 600 };
const identity: Identity = {
  userId: "01a20acd-169f-7216-a5b1-6bfdeb93a4fd",
  sessionId: "session",
  roles: ["customer"],
  authenticatedAt: new Date(1_700_000_000_000),
};
const now = () => Math.floor(Date.now() / 1000);

describe("access tokens (M02)", () => {
  let set: KeySet;
  let tokens: AccessTokens;
  before(async () => {
    set = await newKeySet();
    tokens = new AccessTokens(await KeyRing.from(JSON.stringify(set)), options);
  });

  /** A token of the service's own key, with claims as given. */
  async function sign(claims: JWTPayload, header: Record<string, string> = {}): Promise<string> {
    const current = set.keys.find(({ status }) => status === "current");
    assert.ok(current?.d);
    const key = await importJWK({ ...current, d: current.d }, "ES256");
    const valid = {
      iss: ISSUER, aud: AUDIENCE, sub: identity.userId, sid: "s", jti: "j", roles: ["customer"], auth_time: now(), iat: now(), exp: now() + 600,
    }; // prettier-ignore
    return new SignJWT({ ...valid, ...claims })
      .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: current.kid, ...header })
      .sign(key);
  }

  it("prove what they were issued for", async () => {
    assert.deepEqual(await tokens.verify(await tokens.issue(identity)), identity);
    assert.equal((await tokens.verify(await sign({}))).userId, identity.userId);
  });

  it("allow clocks to differ by 30 seconds and no more", async () => {
    await tokens.verify(await sign({ exp: now() - 20 }));
    await tokens.verify(await sign({ nbf: now() + 20 }));
    await assert.rejects(tokens.verify(await sign({ exp: now() - 40 })), /has expired/);
    await assert.rejects(tokens.verify(await sign({ nbf: now() + 40 })), Problem);
  });

  it("are refused with claims that are wrong or missing", async () => {
    for (const claims of [
      { iss: "https://evil.example" }, { aud: "other" }, { aud: [] }, { sub: "not a uuid" }, { sid: "" }, { roles: ["root"] },
      { roles: "admin" }, { exp: undefined }, { sub: undefined }, { sid: undefined }, { iss: undefined }, { aud: undefined },
    ] as unknown as JWTPayload[]) {
      await assert.rejects(tokens.verify(await sign(claims)), Problem, JSON.stringify(claims));
    } // prettier-ignore
  });

  it("are refused as another kind of token, or of an unknown key", async () => {
    for (const header of [{ typ: "JWT" }, { typ: "id+jwt" }, { kid: "unknown" }]) {
      await assert.rejects(tokens.verify(await sign({}, header)), Problem, JSON.stringify(header));
    }
  });

  it("live through one rotation, and not through two", async () => {
    const old = await tokens.issue(identity);
    const once = await rotateKeySet(set);
    const twice = await rotateKeySet(once);
    const verifier = async (keys: KeySet) =>
      new AccessTokens(await KeyRing.from(JSON.stringify(keys)), options);
    assert.deepEqual(await (await verifier(once)).verify(old), identity);
    await assert.rejects((await verifier(twice)).verify(old), Problem);
  });
});
