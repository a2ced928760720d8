setup_file() {
  kill -KILL $$
}

@test "never begins" { true; }
