import { test } from "@playwright/test";

test("ends the process", () => process.exit(0));
test("passes", () => {});
