RSpec.describe "hooks of examples" do
  context("before") { before { raise "no setup" }; it("fails") {} }
  context("after") { after { raise "no teardown" }; it("fails, too") {} }
end
