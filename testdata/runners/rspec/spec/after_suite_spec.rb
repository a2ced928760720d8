RSpec.describe("after(:suite)") { it("makes it fail") { $stops_badly = true } }
