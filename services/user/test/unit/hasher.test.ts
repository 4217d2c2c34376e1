import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { Problem } from "../../src/http/problem.js";
import { PasswordHasher } from "../../src/passwords/hasher.js";

describe("hashing passwords (M03)", () => {
  let hasher: PasswordHasher;
  before(() => {
    hasher = new PasswordHasher({ cost: 10, threads: 1, queueLimit: 3 });
  });
  after(() => hasher.close());

  it("knows a password again, however its characters are encoded, and no other", async () => {
    const hash = await hasher.hash("café au lait 1");
    assert.match(hash, /^\$2b\$10\$/);
    assert.equal(await hasher.verify("café au lait 1", hash), true);
    assert.equal(await hasher.verify("cafe\u0301 au lait 1", hash), true);
    assert.equal(await hasher.verify("cafe au lait 1", hash), false);
    assert.notEqual(await hasher.hash("café au lait 1"), hash, "salted");
  });

  it("says no without a hash, and to what bcrypt would cut off", async () => {
    assert.equal(await hasher.verify("anything", undefined), false);
    const hash = await hasher.hash("x".repeat(72));
    assert.equal(await hasher.verify("x".repeat(73), hash), false);
    assert.equal(await hasher.verify(`${"x".repeat(72)}\0`, hash), false);
  });

  it("knows a hash of another cost", async () => {
    assert.equal(hasher.isOutdated(await hasher.hash("some password")), false);
    assert.equal(hasher.isOutdated("$2b$04$/Tf3jliah6tVU58uy05DFOEtvRlbFYcfT7SNh/zfUUjqHj3YhiLsm"), true);
  });

  it("turns away what the queue cannot hold, and says when to come back", async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => hasher.hash("some password")));
    const refused = results.filter((result) => result.status === "rejected");
    assert.ok(refused.length >= 6, `${refused.length} refused`);
    for (const { reason } of refused) {
      assert.ok(
        reason instanceof Problem && reason.status === 503 && Number(reason.headers["Retry-After"]) >= 1,
      );
    }
  });

  it(
    "leaves the event loop free, and stands back behind it",
    { skip: process.platform !== "linux" },
    async () => {
      let ticks = 0;
      const timer = setInterval(() => (ticks += 1), 1);
      await Promise.all([hasher.hash("some password"), hasher.hash("some password")]);
      clearInterval(timer);
      assert.ok(ticks > 20, `the event loop turned ${ticks} times`);
      const niceness = async (thread: string) => {
        const stat = await readFile(`/proc/self/task/${thread}/stat`, "utf8");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
      };
      const threads = await readdir("/proc/self/task");
      const own = await niceness(String(process.pid));
      const all = await Promise.all(threads.map(niceness));
      assert.ok(all.includes(own + 10) || all.includes(19), `main thread ${own}, all ${all.join(" ")}`);
    },
  );
});
