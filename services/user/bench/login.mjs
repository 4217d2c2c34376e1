// Logins per second against bcrypt alone, and the time of profile reads while logins queue. See README.md, "Measured".
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

const COST = Number(process.env.BCRYPT_COST ?? 12);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 10);
const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const THREADS = availableParallelism();
const PASSWORD = "correct horse battery";

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const percentile = (values, part) => values.toSorted((a, b) => a - b)[Math.ceil(values.length * part) - 1];

/** The floor: as many threads that do nothing but compare, at the priority that the service's threads have. */
async function bcryptAlone() {
  const code = `
    const { workerData, parentPort } = require("node:worker_threads");
    const { compareSync, hashSync } = require("bcrypt");
    require("node:os").setPriority(10);
    const hash = hashSync(workerData.password, workerData.cost);
    parentPort.postMessage("ready");
    parentPort.once("message", () => {
      const end = Date.now() + workerData.seconds * 1000;
      let count = 0;
      for (; Date.now() < end; count++) compareSync(workerData.password, hash);
      parentPort.postMessage(count);
      parentPort.close();
    });`;
  const workerData = { password: PASSWORD, cost: COST, seconds: SECONDS };
  const workers = Array.from({ length: THREADS }, () => new Worker(code, { eval: true, workerData }));
  await Promise.all(workers.map((worker) => once(worker, "message")));
  for (const worker of workers) worker.postMessage("go");
  const counts = await Promise.all(workers.map((worker) => once(worker, "message")));
  return counts.reduce((sum, [count]) => sum + count, 0) / SECONDS;
}

async function startService() {
  const main = new URL("../dist/src/main.js", import.meta.url).pathname;
  const started = performance.now();
  const env = { ...process.env, PORT: "0", LOG_LEVEL: "info", RATE_LIMITS: "off", BCRYPT_COST: String(COST) };
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "inherit"] });
  const port = await new Promise((resolve) => {
    child.stdout.on("data", (chunk) => {
      const found = /"message":"listening"/.test(chunk) && /"port":(\d+)/.exec(chunk)?.[1];
      if (found) resolve(found);
    });
  });
  return { child, base: `http://127.0.0.1:${port}`, startMs: performance.now() - started };
}

async function call(base, method, path, body, token) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
}

async function residentMb(pid) {
  const { readFile } = await import("node:fs/promises");
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

/** Logs in from as many clients as keep the threads busy and a queue behind them, while one client reads its profile. */
async function load(base, users, token) {
  const end = performance.now() + SECONDS * 1000;
  let logins = 0;
  const login = async (email) => {
    while (performance.now() < end) {
      const { status } = await call(base, "POST", "/api/v1/auth/login", { email, password: PASSWORD });
      if (status !== 200) throw new Error(`login: ${status}`);
      logins += 1;
    }
  };
  const times = [];
  const read = async () => {
    while (performance.now() < end) {
      const started = performance.now();
      const { status } = await call(base, "GET", "/api/v1/users/me", undefined, token);
      if (status !== 200) throw new Error(`profile: ${status}`);
      times.push(performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await Promise.all([...users.map(({ email }) => login(email)), ...(token ? [read()] : [])]);
  return { rate: logins / SECONDS, times };
}

const { child, base, startMs } = await startService();
try {
  const idleMb = await residentMb(child.pid);
  const users = [];
  for (let index = 0; index < THREADS * 4; index++) {
    const email = `bench-${randomBytes(8).toString("hex")}@example.com`;
    const { body } = await call(base, "POST", "/api/v1/auth/register", {
      email,
      password: PASSWORD,
      display_name: "B",
    });
    users.push({ email, token: body.access_token });
  }
  const results = { floor: [], rate: [], alone: [], p50: [], p99: [] };
  for (let run = 0; run < RUNS; run++) {
    results.floor.push(await bcryptAlone());
    results.rate.push((await load(base, users)).rate);
    results.alone.push(percentile((await load(base, [], users[0].token)).times, 0.99));
    const { times } = await load(base, users, users[0].token);
    results.p50.push(percentile(times, 0.5));
    results.p99.push(percentile(times, 0.99));
  }
  const [floor, rate] = [median(results.floor), median(results.rate)];
  console.log(`bcrypt alone (cost ${COST}, ${THREADS} threads)  ${floor.toFixed(2)}/s`);
  console.log(
    `login                                ${rate.toFixed(2)}/s = ${((100 * rate) / floor).toFixed(0)} % of it (goal 90 %)`,
  );
  console.log(
    `profile read while logins queue      p50 ${median(results.p50).toFixed(1)} ms, p99 ${median(results.p99).toFixed(1)} ms (goal 50 ms)`,
  );
  console.log(`profile read with no login           p99 ${median(results.alone).toFixed(1)} ms`);
  console.log(
    `start-up ${startMs.toFixed(0)} ms; resident ${idleMb} MB idle, ${await residentMb(child.pid)} MB after`,
  );
} finally {
  child.kill("SIGTERM");
}
