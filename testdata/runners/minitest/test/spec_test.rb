require "test_helper"

describe "an \"object\" with 'names'" do
  it("has blanks") {}
  it("ünïcode ✓ 日本") {}
  it("a.*b [x] (y) $ ^ | \\ ? + {1}") {}
  it("GET /users/:id/edit") {}
  it("two
lines") {}
  it "has no body"

  describe "nested" do
    it("has blanks") {}
    it("fails") { _(1 + 1).must_equal 3 }
  end
end

# Two blocks of one name, with tests of one name.
describe("twice") { it("is one") {} }
describe("twice") { it("is one") { flunk "the second one" } }
