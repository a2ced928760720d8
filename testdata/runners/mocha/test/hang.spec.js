describe("hang", () => {
  it("sleeps", function (done) {
    this.timeout(0);
    setTimeout(done, 600_000);
  });
});
