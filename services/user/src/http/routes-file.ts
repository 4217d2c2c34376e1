import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";

const route = z.strictObject({
  name: z.string().regex(/^[a-z-]+$/),
  methods: z.array(z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"])).min(1),
  path: z.string().regex(/^\/[a-z0-9/._-]*$/),
  auth: z.enum(["none", "jwt"]),
  rateLimit: z.strictObject({ perMinute: z.int().positive() }),
  cacheSeconds: z.int().positive().optional(),
  maxBodyBytes: z.int().min(0),
});

const routesFile = z.strictObject({
  service: z.literal("user"),
  port: z.int(),
  routes: z.array(route),
});

/** One public path of this service. */
export type Route = z.output<typeof route>;

/** The service's folder: the code runs from dist/src in it, in the image and in a checkout. */
const ROUTES_FILE = new URL("../../../routes.yaml", import.meta.url);

/** The routes by name, from the file that the gateway's configuration is made of too. */
export function readRoutes(): ReadonlyMap<string, Route> {
  const { routes } = routesFile.parse(parse(readFileSync(ROUTES_FILE, "utf8")));
  return new Map(routes.map((entry) => [entry.name, entry]));
}
