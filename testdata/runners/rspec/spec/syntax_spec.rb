RSpec.describe "syntax" do
  it("is wrong" {}
end
