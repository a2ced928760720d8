@test "two words" { true; }
@test "it's quoted" { true; }
@test 'says "yes"' { true; }
@test "adds a+b (or *) [in] ^brackets$ {3} | \\ ok" { true; }
@test "prüft ✓ 漢字" { true; }
@test "adds" { true; }
@test "adds more # skip not" { true; }
@test "costs \$5 in 5ms" { true; }
