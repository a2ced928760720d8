import { expect, test } from "@playwright/test";

test("adds", () => {
  expect(1 + 1).toBe(2);
});

test("fails", () => {
  console.log("printed before");
  expect({ a: 1, b: [1, 2] }).toEqual({ a: 1, b: [1, 3] });
});

test.skip("waits", () => {});
test.fixme("some day", () => {});
test("knows why", () => {
  test.skip(true, "no network");
});

for (const n of [0, 1, 2]) {
  test(`is less than three: ${n}`, () => {
    expect(n).toBeLessThan(3);
  });
}

test.describe("outer", () => {
  test.describe("inner", () => {
    test("nested", () => {});
  });
  test("name with spaces, ünïcödé 日本, a.*(regex)[x]+? and \"quotes\" 'too' › $HOME", () => {});
});

test("fails as it should", () => {
  test.fail();
  expect(1).toBe(2);
});
