import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { readRoutes } from "../../src/http/routes-file.js";
import { openApiDocument } from "../../src/openapi.js";

type Paths = Record<string, Record<string, { security?: unknown; responses: object }>>;

describe("the API's description", () => {
  it("in the repository is the one that is served (else run `npm run openapi`)", async () => {
    const kept: unknown = JSON.parse(
      await readFile(new URL("../../../openapi.json", import.meta.url), "utf8"),
    );
    assert.deepEqual(kept, JSON.parse(JSON.stringify(openApiDocument)));
  });

  it("has the paths, methods and protection of routes.yaml", () => {
    const paths = openApiDocument.paths as unknown as Paths;
    const described = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(
        ([method, { security }]) => `${method} ${path} ${security ? "jwt" : "none"}`,
      ),
    );
    const routed = [...readRoutes().values()].flatMap(({ methods, path, auth }) =>
      methods.map((method) => `${method.toLowerCase()} ${path} ${auth}`),
    );
    assert.deepEqual(described.sort(), routed.sort());
  });

  it("announces 413 and 415 wherever a body is read", () => {
    for (const [path, operations] of Object.entries(openApiDocument.paths as unknown as Paths)) {
      for (const operation of Object.values(operations)) {
        const reads = "requestBody" in operation;
        for (const status of ["400", "413", "415", "422"])
          assert.equal(status in operation.responses, reads, `${path} ${status}`);
      }
    }
  });
});
