def test_in_strange_folder():
    pass
