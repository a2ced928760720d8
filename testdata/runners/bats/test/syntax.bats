@test "is never seen" {
  if true
}
