import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { Harness, PASSWORD, slug, someEmail, type Client } from "../support/harness.js";

describe("an account (M01, M11)", () => {
  let harness: Harness;
  let client: Client;
  before(async () => {
    harness = await Harness.open();
    client = await harness.start();
  });
  after(() => harness.close());

  it("gets a JWT on registration that anyone can check with the published keys", async () => {
    const { access_token, user } = await client.register();
    const keys = createRemoteJWKSet(new URL(`${client.base}/.well-known/jwks.json`));
    const { payload, protectedHeader } = await jwtVerify(access_token, keys, {
      algorithms: ["ES256"],
      typ: "at+jwt",
      issuer: "https://auth.cloudcommerce.example",
      audience: "cloudcommerce",
    });
    assert.equal(payload.sub, user.id);
    assert.deepEqual(payload["roles"], ["customer"]);
    assert.equal(Number(payload.exp) - Number(payload.iat), 600);
    assert.ok(protectedHeader.kid && payload.jti && payload["sid"]);
    assert.match(user.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  it("shows its profile without what is private", async () => {
    const { access_token, email } = await client.register();
    const { status, body, headers } = await client.profile(access_token);
    assert.equal(status, 200);
    assert.equal(body["email"], email);
    assert.deepEqual(Object.keys(body).sort(), [
      "created_at", "display_name", "email", "id", "locale", "phone", "roles", "updated_at",
    ]); // prettier-ignore
    assert.equal(headers.get("cache-control"), "no-store");
  });

  it("changes its profile, and refuses a change that rests on an old version", async () => {
    const { access_token: token } = await client.register();
    const first = await client.profile(token);
    const ifMatch = { "if-match": first.headers.get("etag") ?? "" };
    const change = { display_name: " Grace ", phone: "+14155550123", locale: "pt-BR" };
    const changed = await client.call<Record<string, unknown>>("PATCH", "/api/v1/users/me", {
      token,
      json: change,
      headers: ifMatch,
    });
    assert.equal(changed.status, 200);
    assert.equal(changed.body["display_name"], "Grace");
    assert.notEqual(changed.headers.get("etag"), first.headers.get("etag"));
    const late = await client.call("PATCH", "/api/v1/users/me", {
      token,
      json: { locale: "en" },
      headers: ifMatch,
    });
    assert.equal(late.status, 412);
    const cleared = await client.call<Record<string, unknown>>("PATCH", "/api/v1/users/me", {
      token,
      json: { phone: null },
    });
    assert.deepEqual([cleared.body["phone"], cleared.body["locale"]], [null, "pt-BR"]);
  });

  it("changes its password, which ends every other session", async () => {
    const { access_token: token, refresh_token, email } = await client.register();
    const elsewhere = await client.login(email);
    const json = { current_password: PASSWORD, new_password: "another horse battery" };
    const changed = await client.call<{ access_token: string; refresh_token: string }>(
      "PUT",
      "/api/v1/users/me/password",
      { token, json },
    );
    assert.equal(changed.status, 200);
    for (const old of [refresh_token, elsewhere.body.refresh_token]) {
      assert.equal((await client.refresh(old)).status, 401);
    }
    for (const old of [token, elsewhere.body.access_token])
      assert.equal((await client.profile(old)).status, 401);
    assert.equal((await client.profile(changed.body.access_token)).status, 200);
    assert.equal((await client.refresh(changed.body.refresh_token)).status, 200);
    assert.equal((await client.login(email)).status, 401);
    assert.equal((await client.login(email, json.new_password)).status, 200);
  });

  it("keeps its password when the present one is given wrongly", async () => {
    const { access_token: token, email } = await client.register();
    const json = { current_password: "not the password", new_password: "another horse battery" };
    const refused = await client.call("PUT", "/api/v1/users/me/password", { token, json });
    assert.equal(slug(refused), "invalid-credentials");
    assert.equal((await client.login(email)).status, 200);
  });

  it("is deleted with all personal data, and its address can be used again", async () => {
    const { access_token: token, refresh_token, email, user } = await client.register();
    assert.equal((await client.call("DELETE", "/api/v1/users/me", { token })).status, 204);
    assert.equal(
      await harness.stores.database.collection<{ _id: string }>("users").countDocuments({ _id: user.id }),
      0,
    );
    assert.equal((await client.profile(token)).status, 401);
    assert.equal((await client.refresh(refresh_token)).status, 401);
    assert.equal((await client.login(email)).status, 401);
    assert.notEqual((await client.register(email)).user.id, user.id);
  });

  it("is deleted only shortly after a login", async () => {
    const strict = await harness.start({ RECENT_LOGIN_SECONDS: "1" });
    const { access_token: token } = await strict.register();
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const refused = await strict.call("DELETE", "/api/v1/users/me", { token });
    assert.deepEqual([refused.status, slug(refused)], [403, "recent-login-required"]);
  });

  it("is one per address, however it is written and however many ask at once", async () => {
    const email = someEmail();
    const written = [
      email,
      email.toUpperCase(),
      email.replace("user", "USER"),
      email.replace("example", "Example"),
    ];
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        client.call("POST", "/api/v1/auth/register", {
          json: { email: written[index % written.length], password: PASSWORD, display_name: "Ada" },
        }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [201, ...Array<number>(15).fill(409)]);
    const stored = await harness.stores.database.collection("users").countDocuments({ email_key: email });
    assert.equal(stored, 1);
    for (const form of written) assert.equal((await client.login(form)).status, 200);
  });

  it("follows a change of the bcrypt cost at the next login", async () => {
    const { email } = await client.register();
    const stored = async () => {
      const user = await harness.stores.database.collection("users").findOne({ email_key: email });
      return String(user?.["password_hash"]);
    };
    assert.match(await stored(), /^\$2b\$10\$/);
    const dearer = await harness.start({ BCRYPT_COST: "11" });
    assert.equal((await dearer.login(email)).status, 200);
    assert.match(await stored(), /^\$2b\$11\$/);
    assert.equal((await dearer.login(email)).status, 200);
  });
});
