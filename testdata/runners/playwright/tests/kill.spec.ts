import { test } from "@playwright/test";

test("kills the process", () => {
  process.kill(process.pid, "SIGKILL");
});
test("passes", () => {});
