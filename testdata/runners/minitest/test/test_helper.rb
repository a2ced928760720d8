require "minitest/autorun"

Minitest.after_run { raise "the server did not stop" }
