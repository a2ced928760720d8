import { expect, test } from "vitest";

type Pair = {
  one: number;
};

test("fails", () => {
  const pair: Pair = { one: 1 };
  expect(pair.one).toBe(2);
});
