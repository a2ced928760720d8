import assert from "node:assert";

describe("esm", () => {
  it("passes", () => assert.ok(import.meta.url));
});
