import { afterAll, describe, test } from "vitest";

describe("suite", () => {
  afterAll(() => {
    throw new Error("cannot clean up");
  });

  test("passes", () => {});
});
