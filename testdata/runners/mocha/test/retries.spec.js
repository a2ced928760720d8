const assert = require("node:assert");

describe("retries", function () {
  this.retries(2);
  let attempts = 0;
  it("passes the second time", () => assert.strictEqual(++attempts, 2));
});
