import { ConfigError, readConfig } from "./config.js";
import { startService } from "./service.js";
import { createLogger } from "./telemetry/logger.js";
import { startTracing } from "./telemetry/tracing.js";
import { KeySetError } from "./tokens/key-set.js";

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLogger(config.LOG_LEVEL);
  const stopTracing = startTracing(config.OTEL_EXPORTER_OTLP_ENDPOINT);
  const service = await startService(config, log);
  const stop = async (signal: string) => {
    log.info({ signal }, "shutting down");
    await service.stop();
    await stopTracing();
    log.info("stopped");
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      stop(signal).catch(fail);
    });
  }
}

function fail(error: unknown): void {
  const known = error instanceof ConfigError || error instanceof KeySetError;
  createLogger("info").fatal(
    known ? error.message : { err: error },
    known ? undefined : "the service failed",
  );
  process.exitCode = 1;
}

main().catch(fail);
