Given(/^all is well$/) {}
Given(/^I have "([^"]*)"$/) { |value| raise "nothing" if value.empty? }

Then(/^(\d+) is (\d+)$/) do |a, b|
  puts "compared"
  raise "expected: #{a}, got: #{b}" unless a == b
end

Then(/^it is pending$/) { pending "bug 12" }
Then(/^it skips itself$/) { skip_this_scenario("no network") }
Then(/^it exits$/) { exit 0 }
Then(/^it exits at once$/) { exit! 0 }
Then(/^it is killed$/) { Process.kill(:KILL, Process.pid) }
Then(/^it hangs$/) { sleep 600 }
