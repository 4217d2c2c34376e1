import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { decodeJwt } from "jose";
import { newRefreshToken } from "../../src/sessions/refresh-token.js";
import { Harness, PASSWORD, slug, type Client } from "../support/harness.js";
import { sleep } from "../support/wait.js";

/** Every request that an access token opens, in a form that would be good. */
const AUTHENTICATED = [
  ["GET", "/api/v1/users/me", undefined],
  ["PATCH", "/api/v1/users/me", { display_name: "Ada" }],
  ["PUT", "/api/v1/users/me/password", { current_password: PASSWORD, new_password: "another good password" }],
  ["DELETE", "/api/v1/users/me", undefined],
] as const;

const sessionOf = (accessToken: string) => String(decodeJwt(accessToken)["sid"]);

describe("a session (M02)", () => {
  let harness: Harness;
  let client: Client;
  let withoutGrace: Client;
  before(async () => {
    harness = await Harness.open();
    client = await harness.start();
    withoutGrace = await harness.start({ REFRESH_GRACE_SECONDS: "0" });
  });
  after(() => harness.close());

  it("goes on through a chain of refresh tokens", async () => {
    let { refresh_token: token } = await client.register();
    const seen = new Set([token]);
    for (let round = 0; round < 5; round++) {
      const { status, body } = await client.refresh(token);
      assert.equal(status, 200);
      assert.equal((await client.profile(body.access_token)).status, 200);
      token = body.refresh_token;
      seen.add(token);
    }
    assert.equal(seen.size, 6);
  });

  it("ends with all its tokens when a used refresh token comes back", async () => {
    const { refresh_token: stolen } = await withoutGrace.register();
    const { body: owner } = await withoutGrace.refresh(stolen);
    await sleep(5);
    const reuse = await withoutGrace.refresh(stolen);
    assert.deepEqual([reuse.status, slug(reuse)], [401, "invalid-refresh-token"]);
    assert.equal((await withoutGrace.refresh(owner.refresh_token)).status, 401);
    assert.equal((await withoutGrace.profile(owner.access_token)).status, 401);
  });

  it("ends too when a token from further back comes back, within the grace time or not", async () => {
    const { refresh_token: first } = await client.register();
    const { body: second } = await client.refresh(first);
    const { body: third } = await client.refresh(second.refresh_token);
    assert.equal((await client.refresh(first)).status, 401);
    assert.equal((await client.refresh(third.refresh_token)).status, 401);
  });

  it("lets one of many refreshes at once win, and lives on", async () => {
    const { refresh_token: token } = await client.register();
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.refresh(token)));
    const winners = answers.filter(({ status }) => status === 200);
    const losers = answers.filter((answer) => answer.status === 409 && slug(answer) === "refresh-conflict");
    assert.deepEqual([winners.length, losers.length], [1, 19]);
    assert.equal((await client.refresh(winners[0]?.body.refresh_token ?? "")).status, 200);
  });

  it("leaves other sessions of the user alone when it ends", async () => {
    const { email, refresh_token } = await client.register();
    const { body: other } = await client.login(email);
    await client.call("POST", "/api/v1/auth/logout", { json: { refresh_token } });
    assert.equal((await client.profile(other.access_token)).status, 200);
    assert.equal((await client.refresh(other.refresh_token)).status, 200);
  });

  it("is over after logout, for refresh and access tokens, on every instance", async () => {
    const { access_token, refresh_token } = await client.register();
    const logout = () => client.call("POST", "/api/v1/auth/logout", { json: { refresh_token } });
    assert.equal((await logout()).status, 204);
    assert.equal((await client.refresh(refresh_token)).status, 401);
    assert.equal((await withoutGrace.refresh(refresh_token)).status, 401);
    for (const instance of [client, withoutGrace]) {
      for (const [method, path, json] of AUTHENTICATED) {
        const refused = await instance.call(method, path, { token: access_token, json });
        assert.deepEqual([refused.status, slug(refused)], [401, "invalid-token"], `${method} ${path}`);
      }
    }
    assert.equal((await logout()).status, 204, "again is no error");
  });

  it("takes no request of an access token that was sent after its logout was answered", async () => {
    for (let round = 0; round < 20; round++) {
      const { access_token, refresh_token } = await client.register();
      const before = Array.from({ length: 4 }, () => client.profile(access_token));
      await client.call("POST", "/api/v1/auth/logout", { json: { refresh_token } });
      const after = Array.from({ length: 4 }, () => withoutGrace.profile(access_token));
      assert.ok((await Promise.all(before)).every(({ status }) => status === 200 || status === 401));
      assert.deepEqual(new Set((await Promise.all(after)).map(({ status }) => status)), new Set([401]));
    }
  });

  it("is not hurt by made-up tokens, not even of someone who knows its ID", async () => {
    const { access_token, refresh_token } = await client.register();
    const id = Buffer.from(sessionOf(access_token), "base64url");
    const bytes = Buffer.from(refresh_token, "base64url");
    const forged = [
      newRefreshToken().text,
      Buffer.concat([id, bytes.subarray(16)]).toString("base64url"),
      Buffer.concat([Buffer.alloc(32), bytes.subarray(32)]).toString("base64url"),
      sessionOf(access_token),
      "x",
    ];
    for (const token of forged) {
      assert.equal((await client.refresh(token)).status, 401);
      assert.equal(
        (await client.call("POST", "/api/v1/auth/logout", { json: { refresh_token: token } })).status,
        204,
      );
    }
    assert.equal((await client.refresh(refresh_token)).status, 200);
  });

  it("is stored without anything that could be used as a token, and expires by itself", async () => {
    const { access_token, refresh_token } = await client.register();
    const key = `session:auth:${sessionOf(access_token)}`;
    const stored = JSON.stringify(await harness.stores.redis.hgetall(key));
    const bytes = Buffer.from(refresh_token, "base64url");
    for (const part of [bytes, bytes.subarray(0, 32), bytes.subarray(32)]) {
      for (const form of ["base64url", "base64", "hex"] as const)
        assert.ok(!stored.includes(part.toString(form)));
    }
    const left = await harness.stores.redis.pttl(key);
    assert.ok(left > 0 && left <= 14 * 86_400_000);
  });

  it("never outlives its longest time, however often it is used", async () => {
    const brief = await harness.start({ SESSION_IDLE_SECONDS: "3600", SESSION_MAX_SECONDS: "60" });
    const { access_token, refresh_token } = await brief.register();
    await sleep(50);
    assert.equal((await brief.refresh(refresh_token)).status, 200);
    const left = await harness.stores.redis.pttl(`session:auth:${sessionOf(access_token)}`);
    assert.ok(left > 0 && left < 60_000, `${left} ms left`);
  });

  it("makes room: the oldest of too many sessions ends", async () => {
    const few = await harness.start({ SESSIONS_PER_USER: "2" });
    const { email, refresh_token: first } = await few.register();
    const { body: second } = await few.login(email);
    const { body: third } = await few.login(email);
    assert.equal((await few.refresh(first)).status, 401);
    assert.equal((await few.refresh(second.refresh_token)).status, 200);
    assert.equal((await few.refresh(third.refresh_token)).status, 200);
  });

  it("stays over when Redis forgets that a password change ended it", async () => {
    const { access_token, refresh_token, email } = await client.register();
    const { redis, database } = harness.stores;
    const key = `session:auth:${sessionOf(access_token)}`;
    const copy = await redis.hgetall(key);
    await database.collection("users").updateOne({ email_key: email }, { $inc: { session_epoch: 1 } });
    await redis.hset(key, copy);
    assert.equal((await client.refresh(refresh_token)).status, 401);
    assert.equal(await redis.exists(key), 0);
  });

  it("gives new tokens the roles that the user has then", async () => {
    const { refresh_token, email } = await client.register();
    await harness.stores.database
      .collection("users")
      .updateOne({ email_key: email }, { $set: { roles: ["customer", "support"] } });
    const { body } = await client.refresh(refresh_token);
    assert.deepEqual(decodeJwt(body.access_token)["roles"], ["customer", "support"]);
  });
});
