import { expect, test } from "@playwright/test";

test("passes", async ({ request }) => {
  expect(typeof request.get).toBe("function");
});
