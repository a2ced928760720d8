before(() => {
  throw new Error("for this file only");
});
it("never runs", () => {});
