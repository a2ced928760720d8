RSpec.describe "names" do
  it("has blanks") {}
  it("ünïcode ✓ 日本") {}
  it("a.*b [x] (y) $ ^ | \\ ? + {1}") {}
  it("'single' \"double\" `back`") {}
  it("twice") {}
  it("twice") {}
  it("two
lines") {}
  it { expect(1).to eq(1) }
  ["a b", "", "ü"].each { |value| it("takes #{value.inspect}") { expect(value).to be_a(String) } }

  context "nested" do
    context("deeper") { it("passes") { expect($suites).to eq(1) } }
  end
end
