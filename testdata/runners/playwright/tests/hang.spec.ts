import { test } from "@playwright/test";

test("passes", () => {});
test("sleeps", async () => {
  test.setTimeout(0);
  await new Promise((resolve) => setTimeout(resolve, 600_000));
});
