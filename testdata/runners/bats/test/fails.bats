equal() {
  [ "$1" = "$2" ]
}

@test "fails" {
  echo "the answer is 41"
  equal 41 42
}

@test "passes beside it" {
  true
}
