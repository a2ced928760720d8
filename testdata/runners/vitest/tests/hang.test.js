import { test } from "vitest";

test("passes", () => {});
test("sleeps", { timeout: 700_000 }, () => new Promise((resolve) => setTimeout(resolve, 600_000)));
