require "test_helper"

describe "a block that is never closed" do
  it("never runs") {}
  no_such_method
end
