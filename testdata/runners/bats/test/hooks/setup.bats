setup() {
  missing_command
}

@test "is not reached" { true; }
