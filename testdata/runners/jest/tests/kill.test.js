test("kills the process", () => process.kill(process.pid, "SIGKILL"));
