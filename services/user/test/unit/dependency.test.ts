import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Dependency, DependencyUnavailable } from "../../src/stores/dependency.js";

class Outage extends Error {}

function failing(times: number, error: Error) {
  let calls = 0;
  const call = () => {
    calls += 1;
    return calls <= times ? Promise.reject(error) : Promise.resolve("answer");
  };
  return { call, calls: () => calls };
}

const dependency = () =>
  new Dependency("store", { timeoutMs: 100, isOutage: (error) => error instanceof Outage });

describe("a dependency", () => {
  it("is read again after an outage, but not written again", async () => {
    const read = failing(2, new Outage());
    assert.equal(await dependency().read("read", read.call), "answer");
    assert.equal(read.calls(), 3);
    const write = failing(1, new Outage());
    await assert.rejects(dependency().write("write", write.call), DependencyUnavailable);
    assert.equal(write.calls(), 1);
  });

  it("is not asked for a while after five failures in a row, and is then tried again", async () => {
    const store = dependency();
    const broken = failing(5, new Outage());
    for (let time = 0; time < 8; time++) {
      await assert.rejects(store.write("write", broken.call), DependencyUnavailable);
    }
    assert.equal(broken.calls(), 5);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.equal(await store.write("write", broken.call), "answer");
  });

  it("passes on a refusal as it is, and does not take it for an outage", async () => {
    const store = dependency();
    const refusal = new Error("duplicate key");
    const refused = failing(20, refusal);
    for (let time = 0; time < 20; time++) {
      await assert.rejects(store.read("read", refused.call), (error) => error === refusal);
    }
    assert.equal(refused.calls(), 20, "neither repeated nor cut off");
  });

  it("is given up on when it does not answer in time", async () => {
    const started = performance.now();
    const silent = () => new Promise<never>(() => undefined);
    await assert.rejects(dependency().write("write", silent), DependencyUnavailable);
    assert.ok(performance.now() - started < 1_000);
  });
});
