import pytest

pytest.skip("not on this system", allow_module_level=True)


def test_never():
    pass
