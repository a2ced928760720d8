setup_file() {
  echo "no database"
  false
}

@test "one" { true; }
@test "two" { true; }
