// The service under measurement, in a process of its own.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { pinned } from "./processors.mjs";

const MAIN = new URL("../dist/src/main.js", import.meta.url).pathname;

/**
 * Starts the service and waits until it is ready.
 *
 * @returns where it answers, its process, and how long (ms) it took to start.
 */
export async function startService(processors, settings) {
  const began = performance.now();
  const env = {
    ...process.env,
    HOST: "127.0.0.1",
    PORT: "0",
    RATE_LIMITS: "off",
    SHUTDOWN_DELAY_SECONDS: "0",
  };
  const [command, args] = pinned(processors, [process.execPath, MAIN]);
  const child = spawn(command, args, { env: { ...env, ...settings }, stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => child.kill());
  const base = `http://127.0.0.1:${await port(child)}`;
  const startMs = performance.now() - began;
  const ready = await fetch(`${base}/readyz`);
  if (!ready.ok) {
    child.kill();
    throw new Error(`the service is not ready (npm run migrate?): ${await ready.text()}`);
  }
  return { base, child, startMs };
}

export async function stopService({ child }) {
  if (child.exitCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "exit");
}

/** Its log is read to the end, as a container's is: what writes it may never wait. */
function port(child) {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const { message, level, port: found } = JSON.parse(line);
      if (message === "listening") resolve(found);
      if (level === "fatal") reject(new Error(message));
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the service ended with ${code} before it listened`)));
  });
}

/** What a process keeps in memory, in MiB. */
export async function residentMib({ child }) {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024);
}

/** One of its metrics that has no labels. */
export async function metric({ base }, name) {
  const text = await (await fetch(`${base}/metrics`)).text();
  return Number(new RegExp(`^${name} (.+)$`, "m").exec(text)[1]);
}
