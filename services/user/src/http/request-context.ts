import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { RequestHandler, Response } from "express";
import type { Logger } from "pino";
import { requestDuration } from "../telemetry/metrics.js";

const UNMATCHED = "unmatched";
const WITHOUT_LOG = new Set(["/healthz", "/readyz", "/metrics"]);

interface Locals {
  route?: string;
}

/** Names the route for spans, metrics and logs: a path that a client makes up must not become a label. */
export function setRoute(response: Response, route: string): void {
  (response.locals as Locals).route = route;
}

/** Gives each request a span (continuing the caller's trace), a measurement, and one line in the log. */
export function requestContext(log: Logger): RequestHandler {
  const tracer = trace.getTracer("http");
  return (request, response, next) => {
    const started = process.hrtime.bigint();
    const parent = propagation.extract(context.active(), request.headers);
    const span = tracer.startSpan(request.method, { kind: SpanKind.SERVER }, parent);
    const active = trace.setSpan(parent, span);
    response.once("close", () => {
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      const route = (response.locals as Locals).route ?? UNMATCHED;
      const status = response.writableFinished ? response.statusCode : 499;
      requestDuration.observe({ method: request.method, route, status }, seconds);
      span.updateName(`${request.method} ${route}`);
      span.setAttributes({
        "http.request.method": request.method,
        "http.route": route,
        "http.response.status_code": status,
      });
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
      if (WITHOUT_LOG.has(route)) return;
      context.with(active, () => {
        log.info(
          { method: request.method, route, status, duration_ms: Math.round(seconds * 1e4) / 10 },
          "request",
        );
      });
    });
    context.with(active, next);
  };
}
