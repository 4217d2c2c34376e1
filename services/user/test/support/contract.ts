import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { openApiDocument } from "../../src/openapi.js";

interface ResponseObject {
  $ref?: string;
  content?: Record<string, { schema: { $ref: string } }>;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ ...openApiDocument, $id: "openapi" });

const paths = openApiDocument.paths as unknown as Record<
  string,
  Record<string, { responses: Record<string, ResponseObject> }>
>;
const shared = openApiDocument.components.responses as Record<string, ResponseObject>;

/** Fails when an answer is not one that the OpenAPI description announces. Paths and methods that it does not have are left out. */
export function assertDocumented(method: string, path: string, answer: Response, body: unknown): void {
  const operation = paths[path]?.[method.toLowerCase()];
  if (operation === undefined) return;
  const name = `${method} ${path} → ${answer.status}`;
  const given = operation.responses[String(answer.status)];
  assert.ok(given, `${name} is not documented`);
  const documented = given.$ref ? shared[given.$ref.split("/").at(-1) ?? ""] : given;
  const content = documented?.content;
  if (content === undefined) {
    assert.equal(body, undefined, `${name} has no body by its description`);
    return;
  }
  const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
  const media = content[type];
  assert.ok(media, `${name} is not documented as ${type}`);
  const validate = ajv.getSchema(`openapi${media.schema.$ref}`);
  assert.ok(validate?.(body), `${name}: ${ajv.errorsText(validate?.errors)}`);
}
