const { describe, it, test } = require("node:test");

test("is skipped", { skip: "not here" }, () => {});
test("skips itself", (t) => t.skip("not now"));
describe.skip("a suite", () => {
  it("never runs", () => {});
});
