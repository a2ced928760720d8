@test "before" { true; }

@test "kills its process" {
  kill -KILL $$
}

@test "runs after it" { true; }
