import doctest
import unittest


def documented():
    """
    >>> documented()
    'as it says'
    """
    return "as it says"


class Parameter(unittest.TestCase):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def id(self):
        return "%s.Parameter.number %d [a b] .*" % (__name__, self.number)

    def runTest(self):
        self.assertLess(self.number, 2)


class Twin(unittest.TestCase):
    def runTest(self):
        pass


def load_tests(loader, tests, pattern):
    suite = unittest.TestSuite(Parameter(n) for n in range(3))
    suite.addTests([Twin(), Twin()])
    suite.addTests(doctest.DocTestSuite())
    suite.addTest(unittest.FunctionTestCase(documented, description="a function"))
    return suite
