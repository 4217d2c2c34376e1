import type { Request, RequestHandler } from "express";
import type { Authentication } from "../auth/authentication.js";
import { identityOf } from "../http/authenticate.js";
import { readBody } from "../http/body.js";
import { Problem, unauthorized } from "../http/problem.js";
import { profileChangeSchema } from "./schemas.js";
import { toProfile, type User } from "./user.js";
import type { UserRepository } from "./user-repository.js";

const etag = ({ version }: User) => `"${version}"`;

/** The handlers of /api/v1/users/me, by their name in routes.yaml. There is no path to another user's profile. */
export function profileHandlers(
  users: UserRepository,
  authentication: Authentication,
  recentLoginSeconds: number,
) {
  const read: RequestHandler = async (_request, response) => {
    const user = await users.findById(identityOf(response).userId);
    if (user === null) throw gone();
    response.set("ETag", etag(user)).json(toProfile(user));
  };

  const update: RequestHandler = async (request, response) => {
    const change = definedOnly(readBody(request, profileChangeSchema));
    const version = expectedVersion(request);
    const user = await users.changeProfile(identityOf(response).userId, change, version);
    if (user === null) throw version === undefined ? gone() : changedMeanwhile();
    response.set("ETag", etag(user)).json(toProfile(user));
  };

  const remove: RequestHandler = async (_request, response) => {
    const { userId, authenticatedAt } = identityOf(response);
    if (Date.now() - authenticatedAt.getTime() > recentLoginSeconds * 1000) {
      throw new Problem(403, "recent-login-required", {
        detail: `Deleting an account needs a login within the last ${recentLoginSeconds} seconds.`,
      });
    }
    await authentication.deleteAccount(userId);
    response.status(204).end();
  };

  return { profile: { GET: read, PATCH: update, DELETE: remove } };
}

/** Drops members that are undefined, which MongoDB would store as null. */
function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as never;
}

/** The version that If-Match names (RFC 9110, 13.1.1), if it asks for one. */
function expectedVersion(request: Request): number | undefined {
  const expected = request.get("if-match");
  if (expected === undefined || expected === "*") return undefined;
  const version = /^"(\d{1,15})"$/.exec(expected)?.[1];
  if (version === undefined) throw changedMeanwhile();
  return Number(version);
}

const gone = () => unauthorized("invalid-token", "The account does not exist any more.", "invalid_token");

const changedMeanwhile = () =>
  new Problem(412, "changed-meanwhile", {
    detail: "The profile has changed. Read it again, then change it.",
  });
