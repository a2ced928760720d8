import { test } from "@playwright/test";

test.beforeAll(() => {
  throw new Error("no database");
});

test("one", () => {});
test("two", () => {});
