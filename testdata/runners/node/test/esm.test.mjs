import assert from "node:assert";
import { test } from "node:test";

test("a module fails", async () => {
  await null;
  assert.strictEqual("one", "two", "these differ");
});
