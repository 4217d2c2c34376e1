import express, { type Request, type RequestHandler } from "express";
import type { z } from "zod";
import { Problem, type FieldError } from "./problem.js";

/** Reads a JSON body of limited size. Compressed bodies are refused: they have no size before they are unpacked. */
export function jsonBody(maxBytes: number): RequestHandler[] {
  const requireJson: RequestHandler = (request, _response, next) => {
    if (request.is(["application/json", "application/merge-patch+json"]) === false) {
      throw new Problem(415, "unsupported-media-type", { detail: "Send the body as application/json." });
    }
    next();
  };
  const parse = express.json({ limit: maxBytes, inflate: false, type: () => true });
  return [requireJson, parse];
}

const escapePointer = (segment: PropertyKey) => String(segment).replaceAll("~", "~0").replaceAll("/", "~1");

const pointer = (path: readonly PropertyKey[]) =>
  path.map((segment) => `/${escapePointer(segment)}`).join("");

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: pointer([...issue.path, key]),
      detail: "is not a known member",
    }));
  }
  return [{ pointer: pointer(issue.path), detail: issue.message }];
}

/**
 * The body as the schema describes it. Schemas are strict: members that they do not name are errors.
 *
 * @throws {Problem} 422 with a pointer to each fault.
 */
export function readBody<T extends z.ZodType>(request: Request, schema: T): z.output<T> {
  const parsed = schema.safeParse(request.body);
  if (parsed.success) return parsed.data;
  throw new Problem(422, "validation-failed", {
    detail: "The request body is not valid.",
    errors: parsed.error.issues.flatMap(fieldErrors),
  });
}
