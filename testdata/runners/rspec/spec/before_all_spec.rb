RSpec.describe "before(:all)" do
  before(:all) { raise "no database" }
  it("needs it") {}
  context("nested") { it("needs it, too") {} }
end
