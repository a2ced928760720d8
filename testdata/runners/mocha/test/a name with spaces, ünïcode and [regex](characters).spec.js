it("stands at the root", () => {});
