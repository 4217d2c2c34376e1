import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { KeyRing, followKeyFile } from "../../src/tokens/key-ring.js";
import { newKeySet, rotateKeySet } from "../../src/tokens/key-set.js";
import { createLogger } from "../../src/telemetry/logger.js";
import { Client, environment, Harness, PASSWORD, someEmail } from "../support/harness.js";
import { until } from "../support/wait.js";

const program = (name: string) => new URL(`../../src/${name}.js`, import.meta.url).pathname;

async function run(name: string, args: string[], env: Record<string, string>, input = "") {
  const child = spawn(process.execPath, [program(name), ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number];
  return { code, out, err };
}

async function listening(child: ChildProcess): Promise<Client> {
  for await (const line of child.stdout ?? []) {
    const port = /"port":(\d+)/.exec(String(line))?.[1];
    if (port !== undefined) return new Client(`http://127.0.0.1:${port}`);
  }
  throw new Error("the service ended before it listened");
}

describe("running the service", () => {
  let harness: Harness;
  let folder: string;
  let env: Record<string, string>;
  before(async () => {
    harness = await Harness.open({ migrated: false });
    folder = await mkdtemp(join(tmpdir(), "user-service-"));
    env = await environment(harness.stores.database.databaseName, { LOG_LEVEL: "info" });
  });
  after(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  it("is not ready before its indexes exist; migrating twice is as good as once", async () => {
    const client = await harness.start();
    const readiness = () => client.call<{ checks: Record<string, string> }>("GET", "/readyz");
    assert.deepEqual(
      [(await readiness()).status, (await readiness()).body.checks["mongodb"]],
      [503, "not migrated"],
    );
    for (let time = 0; time < 2; time++) assert.equal((await run("commands/migrate", [], env)).code, 0);
    await until("readiness", async () => (await readiness()).status === 200);
  });

  it("says which variables are wrong, not what is in them, and does not start", async () => {
    const { code, out } = await run("main", [], {
      JWT_KEYS: "{secret",
      MONGODB_URL: "secret",
      BCRYPT_COST: "4",
    });
    assert.equal(code, 1);
    for (const name of ["MONGODB_URL", "REDIS_URL", "BCRYPT_COST"]) assert.match(out, new RegExp(name));
    assert.doesNotMatch(out, /secret/);
    const keys = await run("main", [], { ...env, JWT_KEYS: '{"keys":[{"d":"secret"}]}' });
    assert.deepEqual(
      [keys.code, keys.out.includes("secret"), keys.out.includes("key set")],
      [1, false, true],
    );
  });

  it("listens where it is told to, and nowhere else", { skip: process.platform !== "linux" }, async () => {
    const elsewhere = async (host: string) => {
      const { base } = await harness.start({ HOST: host });
      const answer = await fetch(`${base.replace("127.0.0.1", "127.0.0.2")}/healthz`).catch(() => undefined);
      return answer?.status;
    };
    assert.deepEqual([await elsewhere("127.0.0.1"), await elsewhere("0.0.0.0")], [undefined, 200]);
  });

  it("ends, and says why, when it cannot listen", async () => {
    // An address of documentation (RFC 5737), which no machine has.
    const { code, out } = await run("main", [], { ...env, HOST: "192.0.2.1" });
    assert.equal(code, 1);
    assert.match(out, /192\.0\.2\.1/);
  });

  it("finishes what it has begun when told to stop, and exits with 0", async () => {
    const child = spawn(process.execPath, [program("main")], {
      env: { ...env, BCRYPT_COST: "12", SHUTDOWN_DELAY_SECONDS: "1" },
    });
    const client = await listening(child);
    const registered = client.register();
    child.kill("SIGTERM");
    await until("draining", async () => (await client.call("GET", "/readyz")).status === 503, 900);
    assert.ok((await registered).access_token);
    const answered = performance.now();
    if (child.exitCode === null) await once(child, "exit");
    assert.equal(child.exitCode, 0);
    assert.ok(performance.now() - answered < 5_000, "nothing is waited for once all is answered");
  });

  it("makes a user an administrator by command only, which ends the user's sessions", async () => {
    const client = await harness.start();
    const { email, refresh_token } = await client.register();
    assert.equal((await run("commands/roles", [email.toUpperCase(), "customer", "admin"], env)).code, 0);
    assert.equal((await client.refresh(refresh_token)).status, 401);
    const { body } = await client.login(email);
    assert.deepEqual(decodeJwt(body.access_token)["roles"], ["customer", "admin"]);
    assert.equal((await run("commands/roles", [email, "root"], env)).code, 2);
    assert.equal((await run("commands/roles", [someEmail(), "admin"], env)).code, 1);
  });

  it("rotates keys by command without a token refused on the way, and takes over a changed file", async () => {
    const made = await run("commands/keys", ["new"], {});
    const rotated = await run("commands/keys", ["rotate"], {}, made.out);
    assert.deepEqual([made.code, rotated.code], [0, 0]);
    assert.equal((await run("commands/keys", ["rotate"], {}, "{}")).code, 1);
    const old = await harness.start({ JWT_KEYS: made.out });
    const fresh = await harness.start({ JWT_KEYS: rotated.out });
    const { access_token, email } = await old.register();
    assert.equal((await fresh.profile(access_token)).status, 200, "the previous key is honoured");
    const { body } = await fresh.login(email);
    assert.equal((await old.profile(body.access_token)).status, 200, "the next key was known beforehand");
    assert.notEqual(decodeProtectedHeader(access_token).kid, decodeProtectedHeader(body.access_token).kid);
    const { text } = await fresh.call("GET", "/.well-known/jwks.json");
    assert.doesNotMatch(text, /"d"/);
    assert.equal((JSON.parse(text) as { keys: unknown[] }).keys.length, 3);
  });

  it("follows its key file, and keeps its keys when the file is broken", async () => {
    const path = join(folder, "keys.json");
    const first = await newKeySet();
    const second = await rotateKeySet(first);
    const lines: string[] = [];
    const log = createLogger("info", { write: (line) => void lines.push(line) });
    const put = async (text: string) => {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    };
    await put(JSON.stringify(first));
    const ring = await KeyRing.from(await readFile(path, "utf8"));
    const unfollow = followKeyFile(ring, path, log, 10);
    const kid = ring.current.kid;
    await put(JSON.stringify(second));
    await until("the rotation", () => Promise.resolve(ring.current.kid !== kid));
    await put("{");
    await until("the complaint", () =>
      Promise.resolve(lines.some((line) => line.includes("not taken over"))),
    );
    unfollow();
    assert.equal(ring.current.kid, second.keys.find(({ status }) => status === "current")?.kid);
    assert.ok(!lines.some((line) => second.keys.some(({ d }) => d !== undefined && line.includes(d))));
  });

  it("logs JSON with the caller's trace, and neither personal data nor secrets", async () => {
    // Not the address that the caller has: the service tells its own in the log.
    const client = await harness.start({ LOG_LEVEL: "trace", HOST: "0.0.0.0" });
    const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const { email, access_token, refresh_token } = await client.register();
    const refused = await client.login(email, "a wrong password", headers);
    assert.equal(refused.body.trace_id, traceId);
    await client.refresh(refresh_token);
    await client.call("GET", `/api/v1/users/me?email=${email}`, { token: access_token });
    await client.call("POST", "/api/v1/auth/login", { raw: `{"email":"${email}` });
    await until("the log", () => Promise.resolve(harness.lines.length >= 5));
    const entries = harness.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const entry of entries) {
      for (const member of ["time", "level", "message", "service"]) assert.ok(member in entry, member);
    }
    const traced = entries.find((entry) => entry["trace_id"] === traceId);
    assert.deepEqual([traced?.["route"], traced?.["status"]], ["/api/v1/auth/login", 401]);
    for (const secret of [email, PASSWORD, "a wrong password", access_token, refresh_token, "127.0.0.1"]) {
      assert.ok(!harness.lines.join("\n").includes(secret), secret);
    }
  });

  it("measures requests by route, and what the business asks about", async () => {
    const client = await harness.start();
    const { email, refresh_token } = await client.register();
    await client.login(email, "a wrong password");
    await client.refresh(refresh_token);
    await client.call("GET", `/made-up-${someEmail()}`);
    const { text } = await client.call<string>("GET", "/metrics");
    for (const line of [
      /http_server_request_duration_seconds_count\{method="POST",route="\/api\/v1\/auth\/register",status="201"\} \d+/,
      /http_server_request_duration_seconds_count\{method="GET",route="unmatched",status="404"\} \d+/,
      /cloudcommerce_registrations_total\{outcome="registered"\} \d+/,
      /cloudcommerce_logins_total\{outcome="wrong_credentials"\} \d+/,
      /cloudcommerce_token_refreshes_total\{outcome="rotated"\} \d+/,
    ]) assert.match(text, line); // prettier-ignore
    assert.doesNotMatch(text, /made-up/);
  });

  it("packs large answers for who takes them packed", async () => {
    const client = await harness.start();
    const { headers } = await client.call("GET", "/openapi.json", { headers: { "accept-encoding": "gzip" } });
    assert.equal(headers.get("content-encoding"), "gzip");
  });
});
