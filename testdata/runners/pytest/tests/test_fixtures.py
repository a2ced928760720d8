import pytest


@pytest.fixture
def broken():
    raise RuntimeError("the fixture broke")


@pytest.fixture
def leaking():
    yield
    raise RuntimeError("the teardown broke")


@pytest.fixture(scope="module")
def shared():
    return []


def test_setup(broken):
    pass


def test_teardown(leaking):
    pass


def test_call_and_teardown(leaking):
    assert 1 == 2


def test_no_such_fixture(nowhere):
    pass


def test_shared(shared):
    shared.append(1)
    assert shared == [1]
