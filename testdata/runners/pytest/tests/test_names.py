import pytest, os, time
@pytest.fixture(scope="module")
def mod():
    print("setup module"); yield 1
def test_ok(mod): pass
def test_fail(mod):
    print("hello out")
    assert 1 == 2, "boom ünïcode"
@pytest.mark.parametrize("x", ["a b", "ü", "[x]", "a::b"])
def test_param(x): pass
@pytest.mark.skip(reason="no")
def test_skip(): pass
class TestC:
    def test_one(self): pass
    def test_two(self): pass
@pytest.fixture
def bad(): raise RuntimeError("fixture broke")
def test_setup(bad): pass
