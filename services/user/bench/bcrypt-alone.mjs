// The floor of logins: threads that do nothing but compare a password with its hash. Prints the times (ms) at which they had done it.
// node bcrypt-alone.mjs THREADS COST SECONDS
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import bcrypt from "bcrypt";

const PASSWORD = "correct horse battery";

function compareFor(seconds, hash) {
  const completions = [];
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    bcrypt.compareSync(PASSWORD, hash);
    completions.push(performance.timeOrigin + performance.now());
  }
  return completions;
}

if (isMainThread) {
  const [threads, cost, seconds] = process.argv.slice(2).map(Number);
  const hash = bcrypt.hashSync(PASSWORD, cost);
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL(import.meta.url), { workerData: { seconds, hash } }),
  );
  const completions = await Promise.all(workers.map((worker) => once(worker, "message")));
  console.log(JSON.stringify(completions.flat(2)));
} else {
  parentPort.postMessage(compareFor(workerData.seconds, workerData.hash));
}
