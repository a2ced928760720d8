beforeAll(() => {
  throw new Error("no database");
});

test("one", () => {});
test("two", () => {});
