import type { Request, RequestHandler, Response } from "express";
import type { Sessions } from "../sessions/sessions.js";
import { DependencyUnavailable } from "../stores/dependency.js";
import type { AccessTokens, Identity } from "../tokens/access-token.js";
import { unauthorized } from "./problem.js";

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

interface Locals {
  identity?: Identity;
}

/**
 * Requires an access token whose session still lives, so that a logout here ends access at once. While Redis is away, reads trust the
 * token alone (it expires in minutes anyway); changes are turned away.
 */
export function authenticate(accessTokens: AccessTokens, sessions: Sessions): RequestHandler {
  return async (request, response, next) => {
    const token = bearerToken(request);
    const identity = await accessTokens.verify(token);
    if (!(await isAlive(identity, request.method === "GET", sessions))) {
      throw unauthorized("invalid-token", "The session has ended.", "invalid_token");
    }
    (response.locals as Locals).identity = identity;
    next();
  };
}

/** Who asks. Only behind `authenticate`. */
export function identityOf(response: Response): Identity {
  const { identity } = response.locals as Locals;
  if (identity === undefined) throw new Error("the route does not authenticate");
  return identity;
}

function bearerToken(request: Request): string {
  const token = BEARER.exec(request.get("authorization") ?? "")?.[1];
  if (token === undefined)
    throw unauthorized("unauthenticated", "Send an access token as Authorization: Bearer.");
  return token;
}

async function isAlive(identity: Identity, trustWhenUnknown: boolean, sessions: Sessions): Promise<boolean> {
  try {
    const session = await sessions.find(identity.sessionId);
    return session?.userId === identity.userId;
  } catch (error) {
    if (trustWhenUnknown && error instanceof DependencyUnavailable) return true;
    throw error;
  }
}
