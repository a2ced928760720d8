import { test } from "@playwright/test";

test.afterAll(() => {
  throw new Error("cannot clean up");
});

test("passes", () => {});
