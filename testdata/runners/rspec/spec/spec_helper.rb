require_relative "support/shared"

RSpec.configure do |config|
  config.before(:suite) { $suites = $suites.to_i + 1 }
  config.after(:suite) { raise "the suite's server did not stop" }
end
