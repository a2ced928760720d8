setup() { skip "no database"; }

@test "one" { false; }
@test "two" { false; }
