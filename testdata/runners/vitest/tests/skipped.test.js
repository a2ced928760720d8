import { describe, test } from "vitest";

describe.skip("all", () => {
  test("one", () => {});
  test("two", () => {});
});
