import { expect, test } from "@playwright/test";

test.describe.configure({ retries: 1, mode: "serial" });

test("passes", () => {});

test("passes when it runs again", ({}, info) => {
  expect(info.retry).toBe(1);
});

test("fails then", ({}, info) => {
  expect(info.retry).toBe(0);
});
