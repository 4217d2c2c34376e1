import type { Db } from "mongodb";
import { EMAIL_INDEX, USERS } from "./users/user-repository.js";

interface Migration {
  readonly name: string;
  /** Safe to run again and again, and while the old version still serves. */
  readonly apply: (database: Db) => Promise<void>;
}

/** In order. Each brings about a state and does nothing where that is reached, so no record of them has to be kept. */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: "one user per e-mail address",
    apply: async (database) => {
      await database.collection(USERS).createIndex({ email_key: 1 }, { name: EMAIL_INDEX, unique: true }, {});
    },
  },
];

/** Brings the database to what this version of the service needs. */
export async function migrate(database: Db, applied: (name: string) => void): Promise<void> {
  for (const { name, apply } of MIGRATIONS) {
    await apply(database);
    applied(name);
  }
}
