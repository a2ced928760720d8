RSpec.describe "tags" do
  it("is left out by .rspec", :left_out) { raise }
  it("runs") {}
end
