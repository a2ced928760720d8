def test_package(database):
    database["one"] = 1
