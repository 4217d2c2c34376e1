import { MongoClient, MongoError, MongoServerError } from "mongodb";
import { Dependency } from "./dependency.js";

const DUPLICATE_KEY = 11000;
/** Not primary, shutting down, stepping down: the next attempt may find the new primary. */
const TRANSIENT_CODES = new Set([91, 189, 10107, 11600, 11602, 13435, 13436]);

/**
 * A client restricted to what MongoDB, DocumentDB 5.0 and FerretDB share: no retryable writes, no transactions. Every
 * change of this service is one document, so that it needs neither.
 */
export function connectMongo(url: string): MongoClient {
  return new MongoClient(url, {
    appName: "user",
    retryWrites: false,
    retryReads: false,
    maxPoolSize: 50,
    waitQueueTimeoutMS: 1_000,
    connectTimeoutMS: 2_000,
    serverSelectionTimeoutMS: 2_000,
    socketTimeoutMS: 5_000,
    writeConcern: { w: "majority" },
  });
}

export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

function isOutage(error: Error): boolean {
  if (error instanceof MongoServerError) return TRANSIENT_CODES.has(Number(error.code));
  return error instanceof MongoError;
}

export function mongoDependency(): Dependency {
  return new Dependency("mongodb", { timeoutMs: 3_000, isOutage });
}
