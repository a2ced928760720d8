@test "passes" {
  true
}

@test "skipped" {
  skip "not today"
}

says_ok() { # @test
  run echo ok
  [ "$output" = ok ]
}
