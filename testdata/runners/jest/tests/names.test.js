"use strict";

test("adds", () => {
  expect(1 + 1).toBe(2);
});

test("fails", () => {
  console.log("printed before");
  expect({ a: 1, b: [1, 2] }).toEqual({ a: 1, b: [1, 3] });
});

test.skip("waits", () => {});
test.todo("some day");

test.each([[1], [2], [3]])("is less than three: %i", (n) => {
  expect(n).toBeLessThan(3);
});

describe("outer", () => {
  describe("inner", () => {
    test("nested", () => {});
  });
  test("name with spaces, ünïcödé 日本, a.*(regex)[x]+? and \"quotes\" 'too' › $HOME", () => {});
});

test("twice", () => {});
test("twice", () => {
  throw new Error("the second one of this name");
});
