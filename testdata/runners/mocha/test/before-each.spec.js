describe("before each", () => {
  beforeEach(() => {
    throw new Error("nothing prepared");
  });
  it("one", () => {});
  it("two", () => {});
});
