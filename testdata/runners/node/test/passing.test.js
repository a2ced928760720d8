const assert = require("node:assert");
const { describe, it, test } = require("node:test");

test("at the top", () => {});
test("twice", () => {});
test("twice", () => {});
test("of tests", async (t) => {
  for (const value of [1, "a b", "$&"]) await t.test(`takes ${value}`, () => assert.ok(value));
});
describe("a suite", () => {
  it("has a name with spaces, ünïcode, \"quotes\" and .*[regex]+(characters)?", () => {});
  it("is skipped", { skip: "not here" }, () => assert.fail());
  it("is to do", { todo: true }, () => assert.fail());
});
