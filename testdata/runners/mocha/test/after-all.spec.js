describe("after all", () => {
  after(() => {
    throw new Error("not cleaned up");
  });
  it("passes", () => {});
});
