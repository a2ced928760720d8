describe("syntax", () => {
  it("never runs", () => {);
});
