@test "same" { true; }
@test "same" { true; }
