def test_package(database):
    database["two"] = 2
