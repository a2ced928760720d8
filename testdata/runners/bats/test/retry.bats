setup_file() { export BATS_TEST_RETRIES=2; }

@test "passes the second time" {
  [ "$BATS_TEST_TRY_NUMBER" -eq 2 ]
}
