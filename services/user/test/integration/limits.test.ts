import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { Harness, PASSWORD, slug, someEmail, type Client } from "../support/harness.js";

const WRONG = "wrong password!";
/** A client's address that no other test uses. */
const someAddress = () => `2001:db8:${randomInt(65536).toString(16)}:${randomInt(65536).toString(16)}::1`;
const from = (address: string) => ({ "x-forwarded-for": address });

describe("brute force (M03)", () => {
  let harness: Harness;
  let one: Client;
  let other: Client;
  before(async () => {
    harness = await Harness.open();
    const settings = {
      TRUSTED_PROXIES: "loopback",
      LOGIN_FAILURES_PER_ACCOUNT: "8",
      LOGIN_LOCK_SECONDS: "600",
    };
    one = await harness.start(settings);
    other = await harness.start(settings);
  });
  after(() => harness.close());

  it("locks a client out of an account after five failures, on every instance, even with the right password", async () => {
    const { email } = await one.register();
    const client = from(someAddress());
    for (let attempt = 0; attempt < 5; attempt++) {
      assert.equal((await (attempt % 2 ? one : other).login(email, WRONG, client)).status, 401);
    }
    for (const instance of [one, other]) {
      const locked = await instance.login(email, PASSWORD, client);
      assert.deepEqual([locked.status, slug(locked)], [429, "too-many-attempts"]);
      const wait = Number(locked.headers.get("retry-after"));
      assert.ok(wait > 500 && wait <= 600, `Retry-After: ${wait}`);
    }
    assert.equal(
      (await one.login(email, PASSWORD, from(someAddress()))).status,
      200,
      "others are not locked out",
    );
  });

  it("counts unknown accounts just so", async () => {
    const email = someEmail();
    const client = from(someAddress());
    const statuses = [];
    for (let attempt = 0; attempt < 6; attempt++)
      statuses.push((await one.login(email, WRONG, client)).status);
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
  });

  it("lets no more guesses through when they come at once", async () => {
    const { email } = await one.register();
    const client = from(someAddress());
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        (index % 2 ? one : other).login(email, `${WRONG}${index}`, client),
      ),
    );
    const guessed = answers.filter(({ status }) => status === 401).length;
    assert.deepEqual([guessed, answers.filter(({ status }) => status === 429).length], [5, 25]);
  });

  it("locks an account that many clients guess at together", async () => {
    const { email } = await one.register();
    for (let attempt = 0; attempt < 8; attempt++) {
      assert.equal((await one.login(email, WRONG, from(someAddress()))).status, 401);
    }
    assert.equal((await other.login(email, PASSWORD, from(someAddress()))).status, 429);
  });

  it("takes a /64 for one client", async () => {
    const { email } = await one.register();
    const network = someAddress().replace(/::1$/, ":");
    const statuses = [];
    for (let host = 1; host <= 6; host++)
      statuses.push((await one.login(email, WRONG, from(`${network}:${host}`))).status);
    assert.equal(statuses.at(-1), 429);
  });

  it("forgets failures after a success", async () => {
    const { email } = await one.register();
    const client = from(someAddress());
    for (let round = 0; round < 3; round++) {
      for (let attempt = 0; attempt < 2; attempt++) await one.login(email, WRONG, client);
      assert.equal((await one.login(email, PASSWORD, client)).status, 200);
    }
  });

  it("is stopped too where a stolen access token guesses at the password", async () => {
    const { access_token: token } = await one.register();
    const client = from(someAddress());
    const json = { current_password: WRONG, new_password: "another horse battery" };
    const statuses = [];
    for (let attempt = 0; attempt < 6; attempt++) {
      statuses.push(
        (await one.call("PUT", "/api/v1/users/me/password", { token, json, headers: client })).status,
      );
    }
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429]);
  });

  it("leaves no address in Redis", async () => {
    const email = someEmail();
    await one.login(email, WRONG);
    const keys = await harness.stores.redis.keys("user:*");
    assert.ok(keys.some((key) => key.startsWith("user:login:")));
    assert.ok(!keys.some((key) => key.includes("@") || key.includes(email)));
  });
});

describe("rate limits (M03)", () => {
  let harness: Harness;
  before(async () => {
    harness = await Harness.open();
  });
  after(() => harness.close());

  it("are those of routes.yaml, per client and route, shared by instances", async () => {
    const settings = { RATE_LIMITS: "on", TRUSTED_PROXIES: "loopback" };
    const instances = [await harness.start(settings), await harness.start(settings)] as const;
    const client = from(someAddress());
    const attempt = (index: number, headers: Record<string, string>) =>
      (index % 2 ? instances[0] : instances[1]).call("POST", "/api/v1/auth/register", { json: {}, headers });
    const answers = [];
    for (let index = 0; index < 12; index++) answers.push(await attempt(index, client));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [...Array<number>(10).fill(422), 429, 429],
    );
    const last = answers.at(-1);
    assert.equal(last && slug(last), "rate-limited");
    assert.ok(Number(last?.headers.get("retry-after")) <= 60);
    assert.equal(answers[0]?.headers.get("ratelimit"), '"register";r=9');
    assert.equal((await attempt(0, from(someAddress()))).status, 422);
    assert.equal(
      (await instances[0].call("POST", "/api/v1/auth/logout", { json: {}, headers: client })).status,
      422,
    );
  });

  it("do not believe X-Forwarded-For of who is not a trusted proxy", async () => {
    const client = await harness.start({ RATE_LIMITS: "on", REDIS_URL: "redis://127.0.0.1:1" });
    const statuses = [];
    for (let index = 0; index < 11; index++) {
      statuses.push(
        (await client.call("POST", "/api/v1/auth/register", { json: {}, headers: from(someAddress()) }))
          .status,
      );
    }
    assert.deepEqual(
      statuses,
      [...Array<number>(10).fill(422), 429],
      "without Redis each instance counts for itself",
    );
  });
});
