import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { Harness, PASSWORD, slug, someEmail, type Client } from "../support/harness.js";

const AUTH = ["register", "login", "refresh", "logout"].map((name) => `/api/v1/auth/${name}`);
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("hostile input (M03)", () => {
  let harness: Harness;
  let client: Client;
  before(async () => {
    harness = await Harness.open();
    client = await harness.start({ CORS_ALLOWED_ORIGINS: "https://shop.example" });
  });
  after(() => harness.close());

  it("finds no user by operators in place of strings, nor by strings that look like operators", async () => {
    await client.register();
    const injections: unknown[] = [
      { $ne: null }, { $gt: "" }, { $regex: ".*" }, { $where: "sleep(1000)" }, ["a@example.com"], [{ $ne: 1 }], null, 1, true,
      "' || '1'=='1", '{"$ne": null}', "$ne", "a@example.com\0", "*@example.com", "$where: '1 == 1'",
    ]; // prettier-ignore
    for (const value of injections) {
      const asEmail = await client.call("POST", AUTH[1] ?? "", {
        json: { email: value, password: PASSWORD },
      });
      assert.equal(asEmail.status, 422, JSON.stringify(value));
      assert.equal(asEmail.body.errors?.[0]?.pointer, "/email");
      const asPassword = await client.call("POST", AUTH[1] ?? "", {
        json: { email: someEmail(), password: value },
      });
      assert.equal(asPassword.status, typeof value === "string" ? 401 : 422, JSON.stringify(value));
      const asToken = await client.call("POST", AUTH[2] ?? "", { json: { refresh_token: value } });
      assert.equal(asToken.status, typeof value === "string" ? 401 : 422, JSON.stringify(value));
    }
  });

  it("assigns no member that is not the client's to set", async () => {
    const own = { email: someEmail(), password: PASSWORD, display_name: "Eve" };
    for (const extra of [
      { roles: ["admin"] },
      { _id: "1" },
      { session_epoch: 9 },
      { email_key: "x" },
      { $set: {} },
      { "a.b": 1 },
    ]) {
      const refused = await client.call("POST", "/api/v1/auth/register", { json: { ...own, ...extra } });
      assert.equal(refused.status, 422);
      assert.equal(refused.body.errors?.[0]?.pointer, `/${Object.keys(extra)[0] ?? ""}`);
    }
    const { access_token: token } = await client.register();
    for (const extra of [
      { roles: ["admin"] },
      { email: someEmail() },
      { password_hash: "x" },
      { version: 1 },
      { id: "1" },
    ]) {
      const json = { display_name: "Eve", ...extra };
      assert.equal((await client.call("PATCH", "/api/v1/users/me", { token, json })).status, 422);
    }
    const profile = (await client.profile(token)).body;
    assert.deepEqual([profile["roles"], profile["display_name"]], [["customer"], "Ada"]);
  });

  it("does not let __proto__ or constructor through", async () => {
    const { access_token: token } = await client.register();
    for (const raw of [
      '{"__proto__":{"roles":["admin"]},"locale":"de"}',
      '{"constructor":{"prototype":{}},"locale":"de"}',
    ]) {
      assert.equal((await client.call("PATCH", "/api/v1/users/me", { token, raw })).status, 422);
    }
    assert.equal(({} as Record<string, unknown>)["roles"], undefined);
  });

  it("refuses bodies that are too large, on every route that takes one", async () => {
    const raw = JSON.stringify({ email: "a".repeat(5_000_000) });
    for (const path of AUTH) {
      const refused = await client.call("POST", path, { raw });
      assert.deepEqual([refused.status, slug(refused)], [413, "content-too-large"]);
    }
  });

  it("refuses nesting at once, however deep", async () => {
    const depth = 500;
    for (const raw of [
      "[".repeat(depth) + "]".repeat(depth),
      '{"email":'.repeat(depth / 5) + "1" + "}".repeat(depth / 5),
    ]) {
      const started = performance.now();
      const refused = await client.call("POST", "/api/v1/auth/logout", { raw });
      assert.equal(refused.status, 422);
      assert.ok(performance.now() - started < 500);
    }
  });

  it("refuses what is not JSON, or packed", async () => {
    for (const raw of ["{", "", "null", '"text"', "{'a':1}", "\u0000", '{"a":1}{"b":2}', "NaN"]) {
      const { status } = await client.call("POST", "/api/v1/auth/login", { raw });
      assert.ok([400, 422].includes(status), `${raw}: ${status}`);
    }
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/xml",
    ]) {
      const refused = await client.call("POST", "/api/v1/auth/login", {
        raw: "{}",
        headers: { "content-type": type },
      });
      assert.deepEqual([refused.status, slug(refused)], [415, "unsupported-media-type"]);
    }
    const packed = await client.call("POST", "/api/v1/auth/login", {
      raw: "{}",
      headers: { "content-encoding": "gzip" },
    });
    assert.equal(packed.status, 415);
  });

  it("takes any password that bcrypt takes whole, and no other", async () => {
    const attempt = (password: string) =>
      client.call("POST", "/api/v1/auth/register", {
        json: { email: someEmail(), password, display_name: "Ada" },
      });
    for (const good of ["twelve chars", "ünïcödé pässwörd 🔑", "x".repeat(72)])
      assert.equal((await attempt(good)).status, 201);
    for (const bad of ["eleven char", "x".repeat(73), "🔑".repeat(19), "zero\0in the middle"]) {
      assert.equal((await attempt(bad)).status, 422);
    }
  });

  it("does not accept a longer password that only begins like the right one", async () => {
    const email = someEmail();
    const password = "x".repeat(72);
    await client.call("POST", "/api/v1/auth/register", { json: { email, password, display_name: "Ada" } });
    assert.equal((await client.login(email, `${password}y`)).status, 401);
    assert.equal((await client.login(email, password)).status, 200);
  });

  it("accepts no token that it did not sign: alg=none, key confusion, foreign keys, changed claims", async () => {
    const { access_token: token } = await client.register();
    const { body: jwks } = await client.call<{ keys: Record<string, string>[] }>(
      "GET",
      "/.well-known/jwks.json",
    );
    const header = decodeProtectedHeader(token);
    const claims = { ...decodeJwt(token), roles: ["admin"] };
    const [, payload = "", signature = ""] = token.split(".");
    const publicKey = jwks.keys.find(({ kid }) => kid === header.kid);
    const hmac = (secret: string) => {
      const input = `${encode({ ...header, alg: "HS256" })}.${encode(claims)}`;
      return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
    };
    const forged = [
      `${encode({ ...header, alg: "none" })}.${encode(claims)}.`,
      `${encode({ ...header, alg: "None" })}.${payload}.${signature}`,
      `${encode({ ...header, jwk: publicKey })}.${payload}.${signature}`,
      hmac(JSON.stringify(publicKey)), hmac(publicKey?.["x"] ?? ""), hmac(""),
      `${encode(header)}.${encode(claims)}.${signature}`,
      `${encode({ ...header, kid: "../../etc/passwd" })}.${payload}.${signature}`,
      `${encode({ ...header, typ: "JWT" })}.${payload}.${signature}`,
      (await (await harness.start()).register()).access_token,
      `${token}x`, "a.b.c", "undefined",
    ]; // prettier-ignore
    for (const text of forged) {
      const refused = await client.call("GET", "/api/v1/users/me", { token: text });
      assert.deepEqual([refused.status, slug(refused)], [401, "invalid-token"], text);
      assert.match(refused.headers.get("www-authenticate") ?? "", /invalid_token/);
    }
    assert.equal(
      (await client.call("GET", "/api/v1/users/me", { headers: { authorization: "Basic YTpi" } })).status,
      401,
    );
    assert.equal((await client.profile(token)).status, 200);
  });

  it("shows a user no other's profile, whatever the path or the query says", async () => {
    const victim = await client.register();
    const { access_token: token, email } = await client.register();
    for (const path of [
      `/api/v1/users/${victim.user.id}`,
      "/api/v1/users",
      `/api/v1/users/me/../${victim.user.id}`,
    ]) {
      assert.equal((await client.call("GET", path, { token })).status, 404);
    }
    for (const query of [`?id=${victim.user.id}`, "?sub[$ne]=1", `?email=${victim.email}`]) {
      const { body } = await client.call<Record<string, unknown>>("GET", `/api/v1/users/me${query}`, {
        token,
      });
      assert.equal(body["email"], email);
    }
  });

  it("takes as long for an unknown address as for a wrong password, and says the same", async () => {
    const { email } = await client.register();
    const roomy = await harness.start({
      LOGIN_FAILURES_PER_ACCOUNT: "10000",
      LOGIN_FAILURES_PER_ACCOUNT_AND_CLIENT: "10000",
    });
    const times: Record<"known" | "unknown", number[]> = { known: [], unknown: [] };
    const seen = new Set<string>();
    for (let round = 0; round < 15; round++) {
      for (const kind of ["known", "unknown"] as const) {
        const address = kind === "known" ? email : someEmail();
        const started = performance.now();
        const { status, body } = await roomy.login(address, "wrong password!");
        times[kind].push(performance.now() - started);
        seen.add(JSON.stringify([status, { ...body, trace_id: "" }]));
      }
    }
    assert.equal(seen.size, 1);
    const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    const ratio = median(times.unknown) / median(times.known);
    assert.ok(ratio > 0.5 && ratio < 2, `an unknown address takes ${ratio.toFixed(2)} times as long`);
  });

  it("answers errors as problem documents, without internals", async () => {
    const answers = [
      await client.call("GET", "/nowhere"),
      await client.call("GET", "/api/v1/auth/login"),
      await client.call("POST", "/api/v1/auth/login", { raw: "{" }),
      await client.call("GET", "/%"),
      await client.call("PUT", "/api/v1/users/me/password", { json: {} }),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 405, 400, 404, 401],
    );
    assert.equal(answers[1]?.headers.get("allow"), "POST");
    for (const { headers, body, text } of answers) {
      assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
      assert.match(body.type, /^https:\/\/cloudcommerce\.example\/problems\/[a-z-]+$/);
      assert.match(body.trace_id ?? "", /^[0-9a-f]{32}$/);
      assert.doesNotMatch(text, /node_modules|\.js|at [A-Z]|stack|express/i);
    }
  });

  it("sends security headers, and CORS headers to allowed origins only", async () => {
    const from = (origin: string) =>
      client.call("OPTIONS", "/api/v1/auth/login", {
        headers: { origin, "access-control-request-method": "POST" },
      });
    assert.equal(
      (await from("https://shop.example")).headers.get("access-control-allow-origin"),
      "https://shop.example",
    );
    for (const origin of [
      "https://evil.example",
      "https://shop.example.evil.example",
      "null",
      "http://shop.example",
    ]) {
      assert.equal((await from(origin)).headers.get("access-control-allow-origin"), null);
    }
    const { headers } = await client.call("GET", "/.well-known/jwks.json");
    assert.equal(headers.get("x-powered-by"), null);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("strict-transport-security") ?? "", /max-age=\d{8}/);
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.match(headers.get("cache-control") ?? "", /max-age=300/);
  });
});
