import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { MongoClient, type Db } from "mongodb";
import { migrate } from "../../src/migrations.js";

function required(name: string): string {
  const value = process.env[name];
  if (!value)
    throw new Error(`${name} is not set: these tests need a real server and never skip (see README.md)`);
  return value;
}

/** The servers that the tests run against. */
export const stores = {
  get mongoUrl() {
    return required("TEST_MONGODB_URL");
  },
  get redisUrl() {
    return required("TEST_REDIS_URL");
  },
};

/** A database of its own for a test file, migrated, and a way to look into both stores. */
export interface TestStores {
  readonly database: Db;
  readonly redis: Redis;
  readonly close: () => Promise<void>;
}

export async function openStores(options = { migrated: true }): Promise<TestStores> {
  const mongo = new MongoClient(stores.mongoUrl, { retryWrites: false, serverSelectionTimeoutMS: 3_000 });
  const redis = new Redis(stores.redisUrl);
  const database = mongo.db(`user_test_${randomBytes(6).toString("hex")}`);
  if (options.migrated) await migrate(database, () => undefined);
  return {
    database,
    redis,
    close: async () => {
      await database.dropDatabase();
      await Promise.all([mongo.close(), redis.quit()]);
    },
  };
}
