// By itself, Mocha runs the tests at the root of all files before any suite.
it("at the root", () => {});
describe("a suite beside it", () => {
  it("passes", () => {});
});
