import assert from "node:assert";

describe("failing", () => {
  it("fails in a module", async () => {
    await null;
    assert.strictEqual("one", "two", "these differ");
  });
});
