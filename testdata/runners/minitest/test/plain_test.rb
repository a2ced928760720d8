require "test_helper"

class PlainTest < Minitest::Test
  def test_passes
    assert true
  end

  def test_passes_well # its name begins like another's
    refute false
  end

  def test_compares
    puts "printed before the failure"
    assert_equal [1, 2], [1, 3], "bööm"
  end

  def test_raises
    raise ArgumentError, "böse \xff"
  end

  def test_skips
    skip "no network"
  end

  def test_fails_in_teardown
    @broken = true
  end

  def test_forks
    fork { puts "child" }
    Process.wait
  end

  def teardown
    raise "no teardown" if @broken
  end
end

class SetupTest < Minitest::Test
  def setup
    raise "no database"
  end

  def test_needs_it; end
end
