import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export const registry = new Registry();
collectDefaultMetrics({ register: registry });

const FAST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export const requestDuration = new Histogram({
  name: "http_server_request_duration_seconds",
  help: "Time from a request's arrival to the end of its answer",
  labelNames: ["method", "route", "status"],
  buckets: FAST_BUCKETS,
  registers: [registry],
});

export const dependencyDuration = new Histogram({
  name: "cloudcommerce_dependency_duration_seconds",
  help: "Time of a call to a store, its retries included",
  labelNames: ["dependency", "operation", "outcome"],
  buckets: FAST_BUCKETS,
  registers: [registry],
});

export const passwordHashDuration = new Histogram({
  name: "cloudcommerce_password_hash_duration_seconds",
  help: "Time of one bcrypt computation, its wait in the queue included",
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  registers: [registry],
});

export const passwordHashQueue = new Gauge({
  name: "cloudcommerce_password_hash_queue_depth",
  help: "bcrypt computations that wait for a thread",
  registers: [registry],
});

export const registrations = new Counter({
  name: "cloudcommerce_registrations_total",
  help: "Registrations by outcome",
  labelNames: ["outcome"],
  registers: [registry],
});

export const logins = new Counter({
  name: "cloudcommerce_logins_total",
  help: "Logins by outcome",
  labelNames: ["outcome"],
  registers: [registry],
});

export const refreshes = new Counter({
  name: "cloudcommerce_token_refreshes_total",
  help: "Uses of refresh tokens by outcome; `reused` is a stolen token or a very slow client",
  labelNames: ["outcome"],
  registers: [registry],
});
