import unittest


def setUpModule():
    raise RuntimeError("no module today")


class Never(unittest.TestCase):
    def test_never(self):
        pass
