RSpec.describe("kill") { it("kills the process") { Process.kill(:KILL, Process.pid) } }
