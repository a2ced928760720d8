const assert = require("node:assert");

describe("only", () => {
  it.only("runs", () => {});
  it("is hidden", () => assert.fail("hidden"));
});
