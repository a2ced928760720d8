RSpec.describe("before the error") { it("never runs") {} }
RSpec.describe NoSuchClass do # the error
end
