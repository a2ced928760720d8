const { test } = require("node:test");

test("kills the process", async () => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.kill(process.pid, "SIGKILL");
});
test("never runs", () => {});
