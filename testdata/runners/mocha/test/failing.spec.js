const assert = require("node:assert");

describe("failing", () => {
  it("passes", () => {});
  it("adds", () => {
    console.log("printed by the test");
    assert.deepStrictEqual({ sum: 1 + 1 }, { sum: 3 });
  });
  it("fails after a while", (done) => {
    setTimeout(() => assert.fail("too late"), 5);
  });
});
