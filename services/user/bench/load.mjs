// The clients of the measurement.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const PASSWORD = "correct horse battery";
const READS_PER_SECOND = 50;

async function call(service, method, path, { body, token, expected }) {
  const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(service.base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (answer.status !== expected) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

/** Registers a user. */
export async function register(service) {
  const email = `bench-${randomBytes(8).toString("hex")}@example.com`;
  const body = { email, password: PASSWORD, display_name: "Bench" };
  const { access_token: token } = await call(service, "POST", "/api/v1/auth/register", {
    body,
    expected: 201,
  });
  return { email, token };
}

/** Logs every user in over and over; returns the times (ms) at which logins were answered. */
export async function logins(service, users, seconds) {
  const end = performance.now() + seconds * 1000;
  const completions = [];
  const repeat = async ({ email }) => {
    while (performance.now() < end) {
      await call(service, "POST", "/api/v1/auth/login", {
        body: { email, password: PASSWORD },
        expected: 200,
      });
      completions.push(performance.now());
    }
  };
  await Promise.all(users.map(repeat));
  return completions;
}

/**
 * Reads a profile at a fixed pace, whether the one before was answered or not, and returns how long each took (ms) since it was
 * due: a client that waits for its answer would ask the less the slower the service is, and miss its worst times.
 */
export async function reads(service, { token }, seconds) {
  const began = performance.now();
  const read = async (due) => {
    await call(service, "GET", "/api/v1/users/me", { token, expected: 200 });
    return performance.now() - due;
  };
  const under = [];
  for (let count = 0; count < seconds * READS_PER_SECOND; count++) {
    const due = began + (count * 1000) / READS_PER_SECOND;
    await sleep(Math.max(0, due - performance.now()));
    const answer = read(due);
    // A failure is reported once all are awaited, not before anybody can.
    answer.catch(() => undefined);
    under.push(answer);
  }
  return Promise.all(under);
}
