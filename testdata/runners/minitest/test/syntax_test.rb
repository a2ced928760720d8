class SyntaxTest < Minitest::Test
  def test_x(
end
