import sys
import unittest


class Basic(unittest.TestCase):
    def test_pass(self):
        pass

    def test_fail(self):
        print("printed to stdout")
        print("printed to stderr", file=sys.stderr)
        self.assertEqual([1, 2], [1, 3], "the lists differ: ünïcode")

    def test_error(self):
        int("no number")

    @unittest.skip("not today")
    def test_skip(self):
        pass

    def test_skips_itself(self):
        self.skipTest("the database is missing")

    @unittest.expectedFailure
    def test_expected(self):
        self.fail("known bug")

    @unittest.expectedFailure
    def test_unexpected(self):
        pass

    def test_subtests(self):
        for i in range(4):
            with self.subTest("part", i=i):
                self.assertEqual(i % 2, 0)

    def test_ünïcode(self):
        pass

    def test_pass_too(self):  # its name begins as that of another
        pass


class Ends(unittest.TestCase):
    def setUp(self):
        self.addCleanup(lambda: None)

    def tearDown(self):
        if "teardown" in self.id():
            raise RuntimeError("the teardown broke")

    def test_teardown(self):
        pass

    def test_call_and_teardown(self):
        self.fail("first this")

    def test_exit(self):
        sys.exit(0)


class Async(unittest.IsolatedAsyncioTestCase):
    async def test_async(self):
        self.assertTrue(True)


@unittest.skip("the whole class")
class Skipped(unittest.TestCase):
    def test_never(self):
        pass
