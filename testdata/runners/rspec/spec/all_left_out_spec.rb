RSpec.describe("left out", :left_out) { it("never runs") { raise } }
