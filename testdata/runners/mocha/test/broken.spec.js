describe("broken", () => {
  it("never runs", () => {});
  throw new Error("no such thing");
});
