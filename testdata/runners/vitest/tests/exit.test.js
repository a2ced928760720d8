import { test } from "vitest";

test("passes", () => {});
test("ends the process", () => process.exit(0));
