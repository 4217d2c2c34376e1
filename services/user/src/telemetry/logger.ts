import { trace } from "@opentelemetry/api";
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from "pino";

/** JSON lines on standard output: time, level, message, service, and the IDs of the trace that they belong to. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { service: "user" },
    messageKey: "message",
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    mixin() {
      const span = trace.getActiveSpan()?.spanContext();
      return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
