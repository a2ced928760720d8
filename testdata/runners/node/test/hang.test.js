const { test } = require("node:test");

test("sleeps", () => new Promise((resolve) => setTimeout(resolve, 600_000)));
