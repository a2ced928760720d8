def test_never():
    return (
