require "test_helper"
require "minitest/benchmark"

describe "BenchTest" do
  it("is a test") { assert true }
end

# Minitest takes it for benchmarks, as of its name, and runs no test of it.
describe "an object's Bench" do
  it("is no test") { flunk }
end
