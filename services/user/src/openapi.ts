import { z } from "zod";
import {
  credentialsSchema,
  passwordChangeSchema,
  refreshTokenSchema,
  registeredResponse,
  registrationSchema,
  tokenSetResponse,
} from "./auth/schemas.js";
import { profileChangeSchema, profileResponse } from "./users/schemas.js";

const problem = z.object({
  type: z.url(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  instance: z.string(),
  errors: z
    .array(z.object({ pointer: z.string().meta({ description: "JSON Pointer" }), detail: z.string() }))
    .optional(),
  trace_id: z.string().optional(),
});

const publicKey = z.object({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  alg: z.literal("ES256"),
  use: z.literal("sig"),
  kid: z.string(),
  x: z.string(),
  y: z.string(),
});

const requests = {
  Registration: registrationSchema,
  Credentials: credentialsSchema,
  RefreshToken: refreshTokenSchema,
  PasswordChange: passwordChangeSchema,
  ProfileChange: profileChangeSchema,
};
const responses = {
  Registered: registeredResponse,
  TokenSet: tokenSetResponse,
  Profile: profileResponse,
  Problem: problem,
  KeySet: z.object({ keys: z.array(publicKey) }),
};

type SchemaName = keyof typeof requests | keyof typeof responses;

function components(schemas: Record<string, z.ZodType>, io: "input" | "output") {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const description: Record<string, unknown> = z.toJSONSchema(schema, { io });
      delete description["$schema"];
      return [name, description];
    }),
  );
}

const ref = (name: SchemaName) => ({ schema: { $ref: `#/components/schemas/${name}` } });

const retryAfter = { "Retry-After": { description: "Seconds", schema: { type: "integer" } } };

const PROBLEMS = {
  400: { name: "Malformed", description: "The body is not JSON" },
  401: { name: "Unauthorized", description: "Wrong credentials, or a token that is not valid (any more)" },
  403: { name: "RecentLoginRequired", description: "The last login is too long ago" },
  409: { name: "Conflict", description: "Taken, or changed at the same time" },
  412: { name: "PreconditionFailed", description: "The version in If-Match is not the present one" },
  413: { name: "ContentTooLarge", description: "The body is larger than this path takes" },
  415: { name: "UnsupportedMediaType", description: "The body is not application/json" },
  422: { name: "ValidationFailed", description: "The body is JSON, but not as described; see `errors`" },
  429: { name: "TooMany", description: "Too many requests or attempts", headers: retryAfter },
  503: { name: "Unavailable", description: "Overload or outage; try again", headers: retryAfter },
} as const;
type ProblemStatus = keyof typeof PROBLEMS;

const problemResponses = Object.fromEntries(
  Object.values(PROBLEMS).map(({ name, ...response }) => [
    name,
    { ...response, content: { "application/problem+json": ref("Problem") } },
  ]),
);

const withProblems = (...statuses: ProblemStatus[]) =>
  Object.fromEntries(
    statuses.map((status) => [status, { $ref: `#/components/responses/${PROBLEMS[status].name}` }]),
  );

const json = (name: SchemaName, description: string, headers?: object) => ({
  description,
  ...(headers && { headers }),
  content: { "application/json": ref(name) },
});

const body = (name: SchemaName) => ({ required: true, content: { "application/json": ref(name) } });

const READING_BODY = [400, 413, 415, 422] as const;
const ALWAYS = [429, 503] as const;
const bearer = [{ accessToken: [] }];
const etag = { ETag: { description: "The profile's version", schema: { type: "string" } } };
const ifMatch = { name: "If-Match", in: "header", required: false, schema: { type: "string" } };

/** The description of the public API (OpenAPI 3.1), made of the schemas that requests are checked against. */
export const openApiDocument = {
  openapi: "3.1.0",
  info: {
    title: "CloudCommerce user service",
    version: "1.0.0",
    description: "Registration, login, sessions and profiles. Errors are problem documents (RFC 9457).",
  },
  servers: [{ url: "/" }],
  security: [],
  tags: [{ name: "auth" }, { name: "profile" }, { name: "keys" }],
  paths: {
    "/api/v1/auth/register": {
      post: {
        operationId: "register",
        tags: ["auth"],
        summary: "Make an account and begin a session",
        requestBody: body("Registration"),
        responses: {
          201: json("Registered", "Registered and logged in", { Location: { schema: { type: "string" } } }),
          ...withProblems(409, ...READING_BODY, ...ALWAYS),
        },
      },
    },
    "/api/v1/auth/login": {
      post: {
        operationId: "login",
        tags: ["auth"],
        summary: "Begin a session",
        requestBody: body("Credentials"),
        responses: { 200: json("TokenSet", "Logged in"), ...withProblems(401, ...READING_BODY, ...ALWAYS) },
      },
    },
    "/api/v1/auth/refresh": {
      post: {
        operationId: "refresh",
        tags: ["auth"],
        summary: "Trade a refresh token for new tokens",
        description:
          "A refresh token is good for one use. Used again within seconds it is a conflict; used again later, it ends its session.",
        requestBody: body("RefreshToken"),
        responses: {
          200: json("TokenSet", "The session's new tokens"),
          ...withProblems(401, 409, ...READING_BODY, ...ALWAYS),
        },
      },
    },
    "/api/v1/auth/logout": {
      post: {
        operationId: "logout",
        tags: ["auth"],
        summary: "End the session of a refresh token",
        requestBody: body("RefreshToken"),
        responses: {
          204: { description: "Ended, or there was none" },
          ...withProblems(...READING_BODY, ...ALWAYS),
        },
      },
    },
    "/api/v1/users/me": {
      get: {
        operationId: "readProfile",
        tags: ["profile"],
        summary: "Read the own profile",
        security: bearer,
        responses: { 200: json("Profile", "The profile", etag), ...withProblems(401, ...ALWAYS) },
      },
      patch: {
        operationId: "updateProfile",
        tags: ["profile"],
        summary: "Change members of the own profile",
        security: bearer,
        parameters: [ifMatch],
        requestBody: body("ProfileChange"),
        responses: {
          200: json("Profile", "The profile as it is now", etag),
          ...withProblems(401, 412, ...READING_BODY, ...ALWAYS),
        },
      },
      delete: {
        operationId: "deleteAccount",
        tags: ["profile"],
        summary: "Delete the own account and its personal data",
        security: bearer,
        responses: { 204: { description: "Deleted" }, ...withProblems(401, 403, ...ALWAYS) },
      },
    },
    "/api/v1/users/me/password": {
      put: {
        operationId: "changePassword",
        tags: ["profile"],
        summary: "Change the password and end all other sessions",
        security: bearer,
        requestBody: body("PasswordChange"),
        responses: {
          200: json("TokenSet", "The tokens of a new session"),
          ...withProblems(401, 409, ...READING_BODY, ...ALWAYS),
        },
      },
    },
    "/.well-known/jwks.json": {
      get: {
        operationId: "readKeys",
        tags: ["keys"],
        summary: "The keys that access tokens are signed with (RFC 7517)",
        responses: {
          200: {
            description: "The next, the current and the previous key",
            content: { "application/jwk-set+json": ref("KeySet") },
          },
          ...withProblems(...ALWAYS),
        },
      },
    },
  },
  components: {
    securitySchemes: { accessToken: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    schemas: { ...components(requests, "input"), ...components(responses, "output") },
    responses: problemResponses,
  },
};
