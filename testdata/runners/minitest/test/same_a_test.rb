require "test_helper"

class SameTest < Minitest::Test
  def test_same
    flunk "of same_a_test.rb"
  end

  def test_of_a; end
end
