import compression from "compression";
import cors from "cors";
import express, { type Express, type RequestHandler } from "express";
import helmet from "helmet";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { authHandlers } from "../auth/handlers.js";
import type { Authentication } from "../auth/authentication.js";
import type { Config } from "../config.js";
import { rateLimit } from "../limits/rate-limit.js";
import { openApiDocument } from "../openapi.js";
import type { Sessions } from "../sessions/sessions.js";
import type { AccessTokens } from "../tokens/access-token.js";
import type { KeyRing } from "../tokens/key-ring.js";
import { profileHandlers } from "../users/handlers.js";
import type { UserRepository } from "../users/user-repository.js";
import { authenticate } from "./authenticate.js";
import { jsonBody } from "./body.js";
import { errorHandler, methodNotAllowed, notFound } from "./errors.js";
import { operationsRouter, type Readiness } from "./operations.js";
import { requestContext, setRoute } from "./request-context.js";
import { readRoutes, type Route } from "./routes-file.js";

export interface AppParts {
  readonly config: Config;
  readonly log: Logger;
  readonly redis: Redis;
  readonly authentication: Authentication;
  readonly accessTokens: AccessTokens;
  readonly sessions: Sessions;
  readonly users: UserRepository;
  readonly keys: KeyRing;
  readonly readiness: Readiness;
  readonly isDraining: () => boolean;
}

type Method = Route["methods"][number];
/** Route name, then method. */
type Handlers = Readonly<Record<string, Partial<Record<Method, RequestHandler>>>>;

/** The service over HTTP. Which paths it has, and their limits, is in routes.yaml; what they do, in the handlers. */
export function createApp(parts: AppParts): Express {
  const { config, log } = parts;
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", "simple");
  app.set("trust proxy", config.TRUSTED_PROXIES);
  app.use(requestContext(log));
  app.use(endConnectionWhen(parts.isDraining));
  app.use(
    helmet({
      contentSecurityPolicy: {
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
        useDefaults: false,
      },
    }),
  );
  app.use(operationsRouter(parts.readiness, parts.isDraining));
  app.use(corsAllowList(config.CORS_ALLOWED_ORIGINS));
  app.use(compression());
  const handlers: Handlers = {
    ...authHandlers(parts.authentication),
    ...profileHandlers(parts.users, parts.authentication, config.RECENT_LOGIN_SECONDS),
    jwks: { GET: serveJson("application/jwk-set+json", () => parts.keys.jwks) },
  };
  for (const route of readRoutes().values()) mount(app, route, handlers[route.name] ?? {}, parts);
  app.get(
    "/openapi.json",
    serveJson("application/json", () => openApiDocument),
  );
  app.use(notFound);
  app.use(errorHandler(log));
  return app;
}

function mount(
  app: Express,
  route: Route,
  handlers: Partial<Record<Method, RequestHandler>>,
  parts: AppParts,
): void {
  const path = route.path;
  app.use(path, (_request, response, next) => {
    setRoute(response, path);
    response.set("Cache-Control", route.cacheSeconds ? `public, max-age=${route.cacheSeconds}` : "no-store");
    next();
  });
  const before: RequestHandler[] = [];
  if (parts.config.RATE_LIMITS === "on") before.push(rateLimit(parts.redis, route));
  if (route.auth === "jwt") before.push(authenticate(parts.accessTokens, parts.sessions));
  for (const method of route.methods) {
    const handler = handlers[method];
    if (handler === undefined) throw new Error(`routes.yaml has ${method} ${path}, which nothing handles`);
    const body = method === "GET" || method === "DELETE" ? [] : jsonBody(route.maxBodyBytes);
    app[method.toLowerCase() as Lowercase<Method>](path, ...before, ...body, handler);
  }
  app.all(path, methodNotAllowed(route.methods));
}

/** Tells clients to send their next request over a new connection, which leads to another instance. */
function endConnectionWhen(isDraining: () => boolean): RequestHandler {
  return (_request, response, next) => {
    if (isDraining()) response.set("Connection", "close");
    next();
  };
}

/** Browsers of these origins may call; tokens travel in headers and bodies, so no credentials mode is needed. */
function corsAllowList(origins: readonly string[]): RequestHandler {
  return cors({
    origin: [...origins],
    methods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    allowedHeaders: ["Authorization", "Content-Type", "If-Match", "traceparent"],
    exposedHeaders: ["ETag", "Retry-After", "RateLimit", "RateLimit-Policy"],
    maxAge: 600,
  });
}

function serveJson(type: string, content: () => unknown): RequestHandler {
  return (_request, response) => {
    response.type(type).send(JSON.stringify(content()));
  };
}
