require "test_helper"

class EndsTest < Minitest::Test
  def test_exits
    exit 0
  end

  def test_exits_at_once
    exit! 0
  end

  def test_hangs
    sleep 600
  end

  def test_is_killed
    Process.kill(:KILL, Process.pid)
  end
end
