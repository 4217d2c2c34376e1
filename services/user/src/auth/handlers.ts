import type { RequestHandler } from "express";
import { identityOf } from "../http/authenticate.js";
import { readBody } from "../http/body.js";
import type { Authentication } from "./authentication.js";
import {
  credentialsSchema,
  passwordChangeSchema,
  refreshTokenSchema,
  registrationSchema,
} from "./schemas.js";

/** The handlers of /api/v1/auth and of the password, by their names in routes.yaml. */
export function authHandlers(authentication: Authentication) {
  const register: RequestHandler = async (request, response) => {
    const registered = await authentication.register(readBody(request, registrationSchema));
    response.status(201).location("/api/v1/users/me").json(registered);
  };

  const login: RequestHandler = async (request, response) => {
    const credentials = readBody(request, credentialsSchema);
    response.json(await authentication.login(credentials, request.ip ?? "unknown"));
  };

  const refresh: RequestHandler = async (request, response) => {
    const { refresh_token } = readBody(request, refreshTokenSchema);
    response.json(await authentication.refresh(refresh_token));
  };

  const logout: RequestHandler = async (request, response) => {
    const { refresh_token } = readBody(request, refreshTokenSchema);
    await authentication.logout(refresh_token);
    response.status(204).end();
  };

  const changePassword: RequestHandler = async (request, response) => {
    const change = readBody(request, passwordChangeSchema);
    const tokens = await authentication.changePassword(identityOf(response), change, request.ip ?? "unknown");
    response.json(tokens);
  };

  return {
    register: { POST: register },
    login: { POST: login },
    refresh: { POST: refresh },
    logout: { POST: logout },
    password: { PUT: changePassword },
  };
}
