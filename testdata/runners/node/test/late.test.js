const { test } = require("node:test");

test("is over too early", () => {
  setTimeout(() => {
    throw new Error("too late");
  }, 20);
});
