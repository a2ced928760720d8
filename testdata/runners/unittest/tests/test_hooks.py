import unittest

set_up = []


def setUpModule():
    set_up.append("module")


class Once(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        set_up.append("class")

    def test_a(self):
        self.assertEqual(set_up.count("class"), 1)

    def test_b(self):
        self.assertEqual(set_up.count("module"), 1)


class Broken(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("no class today")

    def test_never(self):
        pass

    def test_never_either(self):
        pass


class SkippedAsOne(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise unittest.SkipTest("no server")

    def test_never(self):
        pass
