import sys

import pytest


def test_pass(session):
    assert session == 1  # in each process


def test_fail():
    print("printed to stdout")
    print("printed to stderr", file=sys.stderr)
    assert [1, 2] == [1, 3], "the lists differ: ünïcode"


def test_plain_assert():
    x = 1
    assert x == 2


def test_in_library():
    int("no number")


@pytest.mark.skip(reason="not today")
def test_skip():
    pass


def test_skips_itself():
    pytest.skip("the database is missing")


@pytest.mark.xfail(reason="known bug")
def test_xfail():
    assert False


@pytest.mark.xfail
def test_xpass():
    pass


@pytest.mark.xfail(strict=True, reason="should be fixed")
def test_xpass_strict():
    pass


@pytest.mark.parametrize("x", ["a b", "ü", "[x]", "a::b", ".*|^$", "'\"`$HOME", "-x", "tab\t", ""])
def test_parameter(x):
    pass


# Two of these have one id, c-a-b.
@pytest.mark.parametrize("x", ["a-b", "b"])
@pytest.mark.parametrize("y", ["c", "c-a"])
def test_twins(y, x):
    assert (y, x) != ("c-a", "b"), "the second of two"


def test_ünïcode():
    pass


class TestOuter:
    def test_one(self):
        pass

    class TestInner:
        def test_one(self):
            pass

        def test_fails(self):
            assert "inner" == "outer"
