describe("skipped", () => {
  it("skips itself", function () {
    this.skip();
  });
  it("has no body yet");
});
