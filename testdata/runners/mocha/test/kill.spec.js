describe("kill", () => {
  it("kills the process", () => process.kill(process.pid, "SIGKILL"));
  it("never runs", () => {});
});
