import pytest


@pytest.fixture(scope="package")
def database():
    return {}
