load nothing_here

@test "is never seen" { true; }
