import { Router } from "express";
import { registry } from "../telemetry/metrics.js";
import { setRoute } from "./request-context.js";

/** Names each dependency that is not well. */
export type Readiness = () => Promise<Readonly<Record<string, "ok" | "unavailable" | "not migrated">>>;

/** What Kubernetes and Prometheus ask; never routed to the public. */
export function operationsRouter(readiness: Readiness, isDraining: () => boolean): Router {
  const router = Router();
  router.get("/healthz", (_request, response) => {
    setRoute(response, "/healthz");
    response.json({ status: "ok" });
  });
  router.get("/readyz", async (_request, response) => {
    setRoute(response, "/readyz");
    const checks = await readiness();
    const ready = !isDraining() && Object.values(checks).every((check) => check === "ok");
    response
      .status(ready ? 200 : 503)
      .json({ status: isDraining() ? "draining" : ready ? "ok" : "unavailable", checks });
  });
  router.get("/metrics", async (_request, response) => {
    setRoute(response, "/metrics");
    response.type(registry.contentType).send(await registry.metrics());
  });
  return router;
}
