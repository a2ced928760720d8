describe("before all", () => {
  before("connect", () => {
    throw new Error("no database");
  });
  it("never runs", () => {});
  describe("nested", () => {
    it("never runs either", () => {});
  });
});
