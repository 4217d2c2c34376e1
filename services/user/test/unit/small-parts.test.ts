import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clientKey } from "../../src/limits/client.js";
import { newRefreshToken, parseRefreshToken, successorOf } from "../../src/sessions/refresh-token.js";
import { emailKey } from "../../src/users/email.js";

describe("a client's key", () => {
  const cases: [string, string][] = [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["unknown", "unknown"],
  ];
  for (const [address, key] of cases) {
    it(`of ${address} is ${key}`, () => {
      assert.equal(clientKey(address), key);
    });
  }
});

describe("a refresh token", () => {
  it("has 512 random bits and is read back as it was made", () => {
    const token = newRefreshToken();
    assert.equal(Buffer.from(token.text, "base64url").length, 64);
    assert.deepEqual(parseRefreshToken(token.text), token);
    assert.notEqual(newRefreshToken().sessionId, token.sessionId);
  });

  it("is followed by one of the same session with another secret", () => {
    const token = newRefreshToken();
    const successor = successorOf(token);
    assert.equal(successor.sessionId, token.sessionId);
    assert.notEqual(successor.secretHash, token.secretHash);
  });

  it("is not made of anything else", () => {
    const { text } = newRefreshToken();
    for (const bad of [
      "",
      "x",
      text.slice(1),
      `${text}A`,
      `${text.slice(1)}=`,
      `${text.slice(1)}\n`,
      "é".repeat(86),
    ]) {
      assert.equal(parseRefreshToken(bad), undefined);
    }
  });
});

describe("the key of an e-mail address", () => {
  it("ignores case and nothing else", () => {
    assert.equal(emailKey("Ada.Lovelace+Shop@Example.COM"), "ada.lovelace+shop@example.com");
    assert.notEqual(emailKey("a.b@example.com"), emailKey("ab@example.com"));
  });
});
