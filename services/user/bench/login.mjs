// Logins beside bcrypt alone, and profile reads while logins queue. See README.md, "Measured".
import { execFile } from "node:child_process";
import { parseArgs, promisify } from "node:util";
import { logins, reads, register } from "./load.mjs";
import { goal, median, percentile, steadyRate } from "./measures.mjs";
import { allowed, pin, pinned } from "./processors.mjs";
import { metric, residentMib, startService, stopService } from "./service.mjs";
import { pinStores } from "./stores.mjs";

const HELP = `npm run bench -- [options]      the service needs the variables of README.md, "Run", and its indexes

  --runs N        how often each figure is taken, in turns; medians count (5)
  --seconds N     how long one run takes (8)
  --cost N        bcrypt's cost (12)
  --clients N     who log in over and over, for each hashing thread (4)
  --together      leave service, clients and stores on all processors, and hash on each of them. Otherwise the
                  service and its floor have all but the last processor, which clients and stores share.
  --json          print one JSON document
  --help`;

const OPTIONS = {
  runs: { type: "string", default: "5" },
  seconds: { type: "string", default: "8" },
  cost: { type: "string", default: "12" },
  clients: { type: "string", default: "4" },
  together: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};
const LEAST_SHARE = 90;
const LONGEST_READ_MS = 50;
const WARM_UP_SECONDS = 3;

function settings() {
  const { values } = parseArgs({ options: OPTIONS });
  const numbers = Object.fromEntries(
    ["runs", "seconds", "cost", "clients"].map((name) => [name, Number(values[name])]),
  );
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isInteger(value) || value < 1)
      throw new Error(`--${name} ${values[name]}: must be 1 or more`);
  }
  return { ...values, ...numbers };
}

function placement(together) {
  const all = allowed();
  if (together || all.length === 1) return { serving: all, asking: all };
  return { serving: all.slice(0, -1), asking: all.slice(-1) };
}

async function bcryptAlone({ serving, threads, cost, seconds }) {
  const program = new URL("bcrypt-alone.mjs", import.meta.url).pathname;
  const command = pinned(serving, [process.execPath, program, ...[threads, cost, seconds].map(String)]);
  const { stdout } = await promisify(execFile)(...command);
  return steadyRate(JSON.parse(stdout), threads);
}

async function measure(service, { runs, seconds, cost, clients, serving, threads }) {
  const users = await Promise.all(Array.from({ length: threads * clients }, () => register(service)));
  // Of somebody else: a user's oldest sessions end as new ones begin.
  const reader = await register(service);
  await Promise.all([logins(service, users, WARM_UP_SECONDS), reads(service, reader, WARM_UP_SECONDS)]);
  const found = { floor: [], logins: [], readsAlone: [], reads: [], readsMedian: [], queue: [] };
  for (let run = 0; run < runs; run++) {
    found.floor.push(await bcryptAlone({ serving, threads, cost, seconds }));
    found.logins.push(steadyRate(await logins(service, users, seconds), threads));
    found.readsAlone.push(percentile(await reads(service, reader, seconds), 0.99));
    const busy = logins(service, users, seconds + 1);
    const times = await reads(service, reader, seconds);
    found.queue.push(await metric(service, "cloudcommerce_password_hash_queue_depth"));
    await busy;
    found.reads.push(percentile(times, 0.99));
    found.readsMedian.push(percentile(times, 0.5));
  }
  return found;
}

function judge({ floor, logins: rates, reads: p99 }) {
  const shares = rates.map((rate, run) => (100 * rate) / floor[run]);
  return [
    goal("logins, of what bcrypt alone does", shares, "%", { atLeast: LEAST_SHARE }),
    goal("p99 of a profile read while logins queue", p99, "ms", { atMost: LONGEST_READ_MS }),
  ];
}

function print({ machine, settings: { cost }, runs, goals, service }) {
  const line = (what, values, unit) =>
    console.log(
      `${what.padEnd(44)} ${median(values).toFixed(1)} ${unit} (${values.map((value) => value.toFixed(1)).join(", ")})`,
    );
  console.log(
    `service and floor on processors ${machine.serving}, clients and stores on ${machine.asking}; bcrypt at cost ${cost} in ${machine.threads} threads`,
  );
  if (machine.unpinned.length > 0) console.log(`not pinned: ${machine.unpinned.join(", ")}`);
  line("bcrypt alone", runs.floor, "/s");
  line("logins", runs.logins, "/s");
  line("profile read with no login, p99", runs.readsAlone, "ms");
  line("profile read while logins queue, p50", runs.readsMedian, "ms");
  line("profile read while logins queue, p99", runs.reads, "ms");
  line("logins that waited for a thread meanwhile", runs.queue, "");
  for (const { what, measured, unit, limit, met } of goals) {
    console.log(
      `${what.padEnd(44)} ${measured.toFixed(1)} ${unit}, goal ${limit} ${unit}: ${met ? "met" : "MISSED"}`,
    );
  }
  const { start_ms, idle_mib, loaded_mib } = service;
  console.log(`start-up ${start_ms} ms; resident ${idle_mib} MiB idle, ${loaded_mib} MiB after load`);
}

async function main() {
  const given = settings();
  if (given.help) return console.log(HELP);
  const { serving, asking } = placement(given.together);
  const threads = serving.length;
  pin(process.pid, asking);
  const unpinned = await pinStores(process.env, asking);
  const service = await startService(serving, {
    BCRYPT_COST: String(given.cost),
    HASH_THREADS: String(threads),
    // The clients wait in the queue; none may be turned away.
    HASH_QUEUE_LIMIT: String(threads * given.clients * 2),
  });
  try {
    const idle = await residentMib(service);
    const runs = await measure(service, { ...given, serving, threads });
    const document = {
      machine: { node: process.version, serving, asking, threads, unpinned },
      settings: { runs: given.runs, seconds: given.seconds, cost: given.cost, clients: given.clients },
      runs,
      service: {
        start_ms: Math.round(service.startMs),
        idle_mib: idle,
        loaded_mib: await residentMib(service),
      },
      goals: judge(runs),
    };
    if (given.json) console.log(JSON.stringify(document, null, 2));
    else print(document);
  } finally {
    await stopService(service);
  }
}

// By an exit, so that what was pinned is let go, and the service ends.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
