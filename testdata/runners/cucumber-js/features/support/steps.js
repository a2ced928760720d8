const assert = require("node:assert");
const { After, Before, Given, Then, When } = require("@cucumber/cucumber");

Given("a stack", function () {
  this.stack = [];
});
When("I push {string}", function (item) {
  this.stack.push(item);
});
Then("it has {int} item(s)", function (count) {
  console.log("printed by the step");
  assert.strictEqual(this.stack.length, count);
});
Then("this is not done yet", () => "pending");
Then("this is not for here", () => "skipped");
Given("something", () => {});
Given(/^some.*$/, () => {});
When("the process exits", () => process.exit(0));
When("the process is killed", () => process.kill(process.pid, "SIGKILL"));
When("it sleeps", { timeout: -1 }, () => new Promise((resolve) => setTimeout(resolve, 600_000)));

Before({ tags: "@before", name: "connect" }, () => {
  throw new Error("no database");
});
After({ tags: "@after" }, () => {
  throw new Error("not cleaned up");
});
