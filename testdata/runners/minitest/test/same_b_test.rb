require "test_helper"

class SameTest < Minitest::Test
  def test_same; end

  def test_of_b; end
end
