RSpec.describe "a library that RSpec's formatters require" do
  it("is there") { expect(StringIO.new("x").read).to eq("x") }
end
