RSpec.describe "failures" do
  it "compares" do
    puts "printed before the failure"
    expect([1, 2]).to eq([1, 3])
  end

  it("raises") { raise ArgumentError, "böse \xff" }

  it "aggregates", :aggregate_failures do
    expect(1).to eq(2)
    expect("a").to eq("b")
  end

  it("passes all the same") {}
end
