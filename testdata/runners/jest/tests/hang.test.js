test("passes", () => {});
test("sleeps", () => new Promise((resolve) => setTimeout(resolve, 600_000)), 700_000);
