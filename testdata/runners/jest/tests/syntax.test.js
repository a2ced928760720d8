test("never runs", () => {
