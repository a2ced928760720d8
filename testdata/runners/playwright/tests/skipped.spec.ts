import { test } from "@playwright/test";

test.describe.skip("all", () => {
  test("one", () => {});
  test("two", () => {});
});
