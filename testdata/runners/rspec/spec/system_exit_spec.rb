RSpec.describe("raise SystemExit") { it("ends the process") { exit(0) } }
