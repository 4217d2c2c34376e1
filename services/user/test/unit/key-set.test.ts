import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  KeySetError,
  newKeySet,
  parseKeySet,
  rotateKeySet,
  type KeySet,
  type SigningKey,
} from "../../src/tokens/key-set.js";

const statuses = ({ keys }: KeySet) => keys.map(({ status }) => status).sort();
const kidOf = ({ keys }: KeySet, wanted: string) => keys.find(({ status }) => status === wanted)?.kid;

describe("the key set (M02)", () => {
  it("moves every key on by one step", async () => {
    const first = await newKeySet();
    assert.deepEqual(statuses(first), ["current", "next"]);
    const second = await rotateKeySet(first);
    assert.deepEqual(statuses(second), ["current", "next", "previous"]);
    assert.equal(kidOf(second, "current"), kidOf(first, "next"));
    assert.equal(kidOf(second, "previous"), kidOf(first, "current"));
    const third = await rotateKeySet(second);
    assert.equal(third.keys.length, 3);
    assert.ok(!third.keys.some(({ kid }) => kid === kidOf(first, "current")));
    parseKeySet(JSON.stringify(third));
  });

  it("keeps no private part of a key that signs no more", async () => {
    const { keys } = await rotateKeySet(await newKeySet());
    for (const { status, d } of keys) assert.equal(d === undefined, status === "previous");
  });

  it("is refused when it could not sign, or not safely, and never repeated", async () => {
    const { keys } = await newKeySet();
    const [next, current] = keys as [SigningKey, SigningKey];
    const { d: secret = "", ...publicOnly } = current;
    const bad: [string, unknown][] = [
      ["no JSON", "{"], ["nothing", "{}"], ["empty", { keys: [] }], ["no current", { keys: [next] }],
      ["two current", { keys: [current, { ...next, status: "current" }] }],
      ["two next", { keys: [current, next, { ...next, kid: "another" }] }],
      ["the same kid twice", { keys: [current, { ...next, kid: current.kid }] }],
      ["no private part", { keys: [next, publicOnly] }],
      ["a symmetric key", { keys: [{ ...current, kty: "oct", k: secret }] }],
      ["another algorithm", { keys: [{ ...current, alg: "HS256" }] }],
      ["another curve", { keys: [{ ...current, crv: "P-384" }] }],
      ["a short coordinate", { keys: [{ ...current, x: "AAAA" }] }],
    ]; // prettier-ignore
    for (const [name, content] of bad) {
      const text = typeof content === "string" ? content : JSON.stringify(content);
      assert.throws(
        () => parseKeySet(text),
        (error) => error instanceof KeySetError && !error.message.includes(secret),
        name,
      );
    }
  });
});
