RSpec.describe "skips" do
  it("has no body")
  it("is skipped", :skip => "not on this machine") { raise }
  xit("is skipped by its name") { raise }
  it("skips itself") { skip "no network" }
  it("is pending") { pending "bug 12"; raise "still there" }
end
