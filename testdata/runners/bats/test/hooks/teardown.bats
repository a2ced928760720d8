teardown() {
  echo "cannot clean up"
  false
}

@test "passes by itself" { true; }
