import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Harness, type Client } from "../support/harness.js";
import { stores } from "../support/stores.js";

/** What the production user of this service may do in the store (components/data/valkey_access.py). */
const RULES = [
  "on", "~user:*", "~session:*", "resetchannels", "&user:*", "&session:*", "-@all", "+@read", "+@write", "+@connection",
  "+@transaction", "+@pubsub", "+eval", "+evalsha", "+script|load", "-@dangerous", "+info",
]; // prettier-ignore

describe("the service with its production permissions in Redis", () => {
  const name = `user-${randomBytes(6).toString("hex")}`;
  const password = randomBytes(16).toString("hex");
  let harness: Harness;
  let client: Client;
  before(async () => {
    harness = await Harness.open();
    await harness.stores.redis.call("ACL", "SETUSER", name, `>${password}`, ...RULES);
    const url = new URL(stores.redisUrl);
    url.username = name;
    url.password = password;
    client = await harness.start({ REDIS_URL: url.href, RATE_LIMITS: "on" });
  });
  after(async () => {
    await harness.stores.redis.call("ACL", "DELUSER", name);
    await harness.close();
  });

  it("does all that it has to", async () => {
    assert.equal((await client.call("GET", "/readyz")).status, 200);
    const { access_token, refresh_token, email } = await client.register();
    assert.equal((await client.login(email, "wrong password!")).status, 401);
    assert.equal((await client.login(email)).status, 200);
    assert.equal((await client.profile(access_token)).status, 200);
    const { body, status } = await client.refresh(refresh_token);
    assert.equal(status, 200);
    assert.equal((await client.call("DELETE", "/api/v1/users/me", { token: body.access_token })).status, 204);
    assert.equal((await client.profile(access_token)).status, 401);
  });
});
