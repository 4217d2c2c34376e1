import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Harness, slug, someEmail, type Client } from "../support/harness.js";
import { Relay } from "../support/relay.js";
import { stores } from "../support/stores.js";
import { until } from "../support/wait.js";

describe("an outage", () => {
  let harness: Harness;
  let mongo: Relay;
  let redis: Relay;
  let client: Client;
  before(async () => {
    harness = await Harness.open();
    mongo = await Relay.to(stores.mongoUrl, 27017);
    redis = await Relay.to(stores.redisUrl, 6379);
    client = await harness.start({
      MONGODB_URL: mongo.rewrite(stores.mongoUrl),
      REDIS_URL: redis.rewrite(stores.redisUrl),
    });
    await ready();
  });
  after(async () => {
    await harness.close();
    mongo.close();
    redis.close();
  });

  const readiness = () => client.call<{ checks: Record<string, string> }>("GET", "/readyz");
  const ready = () => until("readiness", async () => (await readiness()).status === 200);

  it("of Redis lets profiles be read, turns changes away at once, and ends by itself", async () => {
    const { access_token: token, refresh_token, email } = await client.register();
    redis.cut();
    assert.deepEqual((await readiness()).body.checks, { mongodb: "ok", redis: "unavailable" });
    assert.equal((await client.profile(token)).status, 200);
    const json = { locale: "de" };
    const started = performance.now();
    const refused = [
      await client.call("PATCH", "/api/v1/users/me", { token, json }),
      await client.call("DELETE", "/api/v1/users/me", { token }),
      await client.login(email),
      await client.refresh(refresh_token),
      await client.call("POST", "/api/v1/auth/logout", { json: { refresh_token } }),
    ];
    assert.ok(performance.now() - started < 5_000);
    for (const answer of refused) {
      assert.deepEqual([answer.status, slug(answer)], [503, "unavailable"]);
      assert.ok(Number(answer.headers.get("retry-after")) >= 1);
      assert.doesNotMatch(answer.text, /redis|ECONN/i);
    }
    redis.mend();
    await ready();
    assert.equal((await client.refresh(refresh_token)).status, 200, "the session is as it was");
  });

  it("of MongoDB uses up no refresh token and counts no failure, and ends by itself", async () => {
    const { access_token: token, refresh_token, email } = await client.register();
    mongo.cut();
    for (let attempt = 0; attempt < 6; attempt++) assert.equal((await client.login(email)).status, 503);
    assert.equal((await client.refresh(refresh_token)).status, 503);
    assert.equal((await client.profile(token)).status, 503);
    assert.equal((await readiness()).body.checks["mongodb"], "unavailable");
    assert.equal((await client.call("GET", "/healthz")).status, 200, "a restart would not help");
    mongo.mend();
    await ready();
    assert.equal((await client.refresh(refresh_token)).status, 200);
    assert.equal((await client.login(email)).status, 200);
  });

  it("of nothing but time to hash turns logins away, not profiles, and locks nobody out", async () => {
    const small = await harness.start({ HASH_THREADS: "1", HASH_QUEUE_LIMIT: "4", BCRYPT_COST: "11" });
    const { access_token: token, email } = await small.register();
    const logins = Promise.all(Array.from({ length: 40 }, () => small.login(someEmail())));
    for (let read = 0; read < 5; read++) assert.equal((await small.profile(token)).status, 200);
    const answers = await logins;
    const refused = answers.filter(({ status }) => status === 503);
    const checked = answers.filter(({ status }) => status === 401).length;
    assert.ok(checked >= 5 && refused.length > 0 && checked + refused.length === 40, `${checked} checked`);
    for (const { headers } of refused) assert.ok(Number(headers.get("retry-after")) >= 1);
    assert.equal((await small.login(email)).status, 200);
    const { text } = await small.call<string>("GET", "/metrics");
    assert.match(text, /cloudcommerce_password_hash_queue_depth 0/);
  });
});
