import { z } from "zod";
import { migrate } from "../migrations.js";
import { connectMongo } from "../stores/mongodb.js";
import { createLogger } from "../telemetry/logger.js";

const environment = z.object({
  MONGODB_URL: z.string().min(1),
  MONGODB_DATABASE: z.string().default("users"),
});
const log = createLogger("info");

async function main(): Promise<void> {
  const { MONGODB_URL, MONGODB_DATABASE } = environment.parse(process.env);
  const client = connectMongo(MONGODB_URL);
  try {
    await migrate(client.db(MONGODB_DATABASE), (name) => {
      log.info({ migration: name }, "in place");
    });
  } finally {
    await client.close();
  }
}

main().catch((error: unknown) => {
  log.fatal({ err: error }, "the migration failed");
  process.exitCode = 1;
});
