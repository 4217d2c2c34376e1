// The servers behind the service, as far as they run on this machine.
import { Redis } from "ioredis";
import { MongoClient } from "mongodb";
import { allowed, pin } from "./processors.mjs";

const LOCAL = new Set(["127.0.0.1", "[::1]", "localhost"]);

/**
 * Keeps the stores on some processors until this process ends.
 *
 * @returns the names of those that could not be pinned: they run elsewhere, or are not ours.
 */
export async function pinStores({ MONGODB_URL, REDIS_URL }, processors) {
  const stores = [
    ["Redis", REDIS_URL, redisProcess],
    ["MongoDB", MONGODB_URL, mongoProcess],
  ];
  const loose = [];
  for (const [name, url, find] of stores) {
    const pid = isLocal(url) ? await find(url).catch(() => undefined) : undefined;
    if (pid === undefined || !pinUntilExit(pid, processors)) loose.push(name);
  }
  return loose;
}

/** Several hosts, as MongoDB's URLs may name them, are no URL to a URL parser; they are no server of this machine either. */
const isLocal = (url) => URL.canParse(url) && LOCAL.has(new URL(url).hostname);

function pinUntilExit(pid, processors) {
  try {
    const before = allowed(pid);
    process.once("exit", () => pin(pid, before));
    return pin(pid, processors);
  } catch {
    return false;
  }
}

async function redisProcess(url) {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    return Number(/^process_id:(\d+)/m.exec(await redis.info("server"))[1]);
  } finally {
    redis.disconnect();
  }
}

async function mongoProcess(url) {
  const mongo = new MongoClient(url, { retryWrites: false, serverSelectionTimeoutMS: 3_000 });
  try {
    const { pid } = await mongo.db("admin").command({ serverStatus: 1 });
    return Number(pid);
  } finally {
    await mongo.close();
  }
}
