const assert = require("node:assert");
const { describe, it, test } = require("node:test");

test("passes", () => {});
describe("failing", () => {
  it("adds", () => {
    console.log("printed by the test");
    assert.deepStrictEqual({ sum: 1 + 1 }, { sum: 3 });
  });
  it("has a subtest", async (t) => {
    await t.test("that fails", () => assert.ok(false));
  });
});
