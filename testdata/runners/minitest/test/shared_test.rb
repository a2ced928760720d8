require "test_helper"

module Shared
  def test_shared
    refute_nil subject
  end
end

class FirstTest < Minitest::Test
  include Shared

  def subject
    1
  end
end

class SecondTest < FirstTest
  def subject
    nil
  end
end

class ParallelTest < Minitest::Test
  parallelize_me!

  3.times { |i| define_method("test_#{i}") { sleep 0.01 } }
end

Class.new(Minitest::Test) do
  def test_of_a_class_without_a_name; end
end
