describe("nothing in it", () => {});
