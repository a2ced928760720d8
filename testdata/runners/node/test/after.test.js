const { after, test } = require("node:test");

after(() => {
  throw new Error("not cleaned up");
});
test("passes", () => {});
