const assert = require("node:assert");

describe("passing", () => {
  it("sees the root hooks", () => assert.ok(globalThis.prepared && globalThis.fresh));
  it("has a name with spaces, ünïcode, \"quotes\" and .*[regex]+(characters)?", () => {});
  it("twice", () => {});
  it("twice", () => {});
  for (const value of [1, "a b", "$&"]) it(`takes ${value}`, () => assert.ok(value));

  describe("nested", () => {
    it("passes after a promise", async () => {});
    it.skip("is skipped", () => assert.fail());
    it("is pending");
  });
});
