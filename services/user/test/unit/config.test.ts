import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConfigError, readConfig } from "../../src/config.js";

const valid = {
  MONGODB_URL: "mongodb://user:pass@a.example:27017,b.example:27017/?tls=true",
  REDIS_URL: "rediss://user:pass@cache.example:6379",
  JWT_KEYS_FILE: "/run/secrets/keys.json",
};

describe("the configuration", () => {
  it("needs no more than where the stores and the keys are", () => {
    const config = readConfig({ ...valid, JWT_KEYS: "" });
    assert.deepEqual([config.HOST, config.PORT, config.BCRYPT_COST], ["0.0.0.0", 3000, 12]);
    assert.deepEqual(config.CORS_ALLOWED_ORIGINS, []);
    assert.equal(config.HASH_QUEUE_LIMIT, 16 * config.HASH_THREADS);
  });

  it("names each variable that is wrong, without its value", () => {
    const wrong: Record<string, string> = {
      MONGODB_URL: "postgres://x", REDIS_URL: "http://x", HOST: "0.0.0.0:80", PORT: "70000", BCRYPT_COST: "9", LOG_LEVEL: "loud", JWT_ISSUER: "nobody",
      CORS_ALLOWED_ORIGINS: "https://good.example, *", ACCESS_TOKEN_TTL_SECONDS: "ten", REFRESH_GRACE_SECONDS: "-1", RATE_LIMITS: "maybe",
    }; // prettier-ignore
    for (const [name, value] of Object.entries(wrong)) {
      assert.throws(
        () => readConfig({ ...valid, [name]: value }),
        (error) =>
          error instanceof ConfigError && error.message.includes(name) && !error.message.includes(value),
        name,
      );
    }
  });

  it("needs exactly one source of keys", () => {
    assert.throws(() => readConfig({ ...valid, JWT_KEYS: "{}" }), /JWT_KEYS_FILE/);
    assert.throws(() => readConfig({ ...valid, JWT_KEYS_FILE: "" }), /npm run keys/);
  });

  it("takes lists apart", () => {
    const config = readConfig({ ...valid, CORS_ALLOWED_ORIGINS: "https://a.example , https://b.example," });
    assert.deepEqual(config.CORS_ALLOWED_ORIGINS, ["https://a.example", "https://b.example"]);
  });
});
