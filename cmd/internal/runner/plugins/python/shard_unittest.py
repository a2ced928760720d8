"""Runs tests with unittest as a shard worker wants it; see docs/runner-protocol.md. For Python 3.7 and later."""
import argparse
import importlib
import importlib.util
import os
import sys
import time
import traceback
import unittest

import shard_plugin


def options():
    parser = argparse.ArgumentParser(prog="unittest", add_help=False, allow_abbrev=False)
    parser.add_argument("-s", "--start-directory", default=".")
    parser.add_argument("-p", "--pattern", default="test*.py")
    parser.add_argument("-t", "--top-level-directory")
    parser.add_argument("-k", action="append", default=[])
    parser.add_argument("-b", "--buffer", action="store_true")
    parser.add_argument("--locals", action="store_true")
    for passed_over in (("-v", "--verbose"), ("-q", "--quiet"), ("-f", "--failfast"), ("-c", "--catch")):
        parser.add_argument(*passed_over, action="store_true")
    parser.add_argument("patterns", nargs="*")
    given = parser.parse_args()
    if given.patterns[:1] == ["discover"]:
        del given.patterns[0]
    return given


class Index:
    """The tests, by id. They are looked for in the module that an id names and, as a module's load_tests may make tests of any
    name, at last everywhere."""

    def __init__(self, given, project):
        self.given, self.project = given, project
        self.loader = unittest.TestLoader()
        if given.k:
            self.loader.testNamePatterns = [k if "*" in k else "*%s*" % k for k in given.k]
        self.tests = {}  # lists of tests by unit: their own ids, and those of their classes and modules
        self.errors = {}  # cases of modules that cannot be loaded, or were skipped
        self.modules = set()  # that were looked through
        self.whole = False  # whether everything was

    def find(self, id):
        self.look(id)
        if id not in self.tests and not self.error(id):
            self.discover()
        return self.tests.get(id, [])

    def error(self, id):
        return next((case for name, case in self.errors.items() if id == name or id.startswith(name + ".")), None)

    def look(self, id):
        """Loads the module that id is in."""
        if self.whole:
            return
        parts = id.split(".")
        names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
        if not self.modules.isdisjoint(names):
            return
        for name in names:
            try:
                if importlib.util.find_spec(name) is None:
                    continue
            except BaseException:
                continue  # it is no module; or it is in one that cannot be imported, which is tried next
            self.modules.add(name)
            try:
                module = importlib.import_module(name)
                self.add(self.loader.loadTestsFromModule(module, pattern=self.given.pattern))
            except unittest.SkipTest as skip:
                self.skips(name, str(skip))
            except BaseException as error:
                self.fails(name, shard_plugin.short(error), shard_plugin.trace(error))
            return

    def fails(self, name, message, text):
        file, line = self.project.place_in_text(text)
        self.errors[name] = {"classname": "", "name": name, "status": "failed", "file": file, "line": line,
                             "message": "cannot be loaded: " + message, "details": shard_plugin.clip(text)}

    def skips(self, name, reason):
        self.errors[name] = {"classname": "", "name": name, "status": "skipped", "message": reason}

    def discover(self):
        """Loads everything that there is."""
        if self.whole:
            return
        self.whole = True
        self.tests = {}
        self.add(self.loader.discover(self.given.start_directory, self.given.pattern, self.given.top_level_directory))

    def add(self, suite):
        for test in flat(suite):
            if type(test).__module__ == "unittest.loader":
                self.placeholder(test._testMethodName, test)
                continue
            for id in dict.fromkeys(levels(test)):
                self.tests.setdefault(id, []).append(test)

    def placeholder(self, name, test):
        """What unittest.loader has instead of a module that it could not load."""
        result = unittest.TestResult()
        test.run(result)
        for _, reason in result.skipped:
            self.skips(name, reason)
        for _, text in result.errors:
            self.fails(name, shard_plugin.last_line(text), text)


def flat(suite):
    for test in suite:
        if isinstance(test, unittest.BaseTestSuite):
            yield from flat(test)
        elif test is not None:
            yield test


def levels(test):
    """The ids of the module, the class and the test, as far as the test's id begins with them."""
    kind = type(test)
    names = [kind.__module__, kind.__module__ + "." + kind.__qualname__]
    return [name for name in names if test.id().startswith(name + ".")] + [test.id()]


def granule(test, granularity):
    found = levels(test)
    return found[0] if granularity == "file" else found[:2][-1] if granularity == "class" else found[-1]


class Result(unittest.TestResult):
    """What becomes of one test after another. As it outlives the batches, so do classes and modules that are set up."""

    def __init__(self, runner, given):
        super().__init__()
        self.runner, self.buffer, self.tb_locals = runner, given.buffer, given.locals
        self._testRunEntered = True  # a suite does not tear down what the next may need
        self.blocked = {}  # why the tests of a class or module cannot run: a verdict, by its name
        self.begin(None)

    def begin(self, test):
        self.test, self.parts, self.subtests, self.skipped_for, self.ran = test, [], [], None, False

    def startTest(self, test):
        super().startTest(test)
        self.ran = True

    def failed(self, test, error, details=None):
        details = details or self._exc_info_to_string(error, test)
        file, line = self.runner.project.place_in_text("".join(traceback.format_tb(error[2])))
        return {"status": "failed", "message": shard_plugin.short(error[1]), "details": shard_plugin.clip(details), "file": file, "line": line}

    def addError(self, test, error):
        if self.fixture(test):
            self.hook(test.id(), self.failed(test, error))
        else:
            self.parts.append(self.failed(test, error))

    addFailure = addError

    def addSkip(self, test, reason):
        if self.fixture(test):
            self.hook(test.id(), {"status": "skipped", "message": reason})
        elif test is self.test:  # and not a subtest
            self.skipped_for = reason

    def addExpectedFailure(self, test, error):
        self.skipped_for = "expected failure: " + shard_plugin.short(error[1])

    def addUnexpectedSuccess(self, test):
        self.parts.append({"status": "failed", "message": "unexpected success: it is marked with expectedFailure"})

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.subtests.append((subtest.id()[len(test.id()):], self.failed(subtest, error)))

    def fixture(self, test):
        """Whether it is no test but stands for setUpClass and the like."""
        return not isinstance(test, unittest.TestCase) and not hasattr(test, "_testMethodName") and not hasattr(test, "test_case")

    def hook(self, description, verdict):
        """A hook, as in "setUpClass (module.Class)", failed or skips."""
        what, _, name = description.partition(" ")
        name = name.strip("()")
        if what.startswith("setUp"):
            self.blocked[name] = {**verdict, "message": (what + " failed: " if verdict["status"] == "failed" else "") + verdict["message"]}
        elif verdict["status"] == "failed":
            self.runner.problem("%s of %s: %s" % (what, name, verdict["message"]), verdict["details"])

    def verdict(self):
        """The case of the test that ended, and of its subtests that failed."""
        test = self.test
        head, _, tail = test.id().rpartition(".")
        names = {"classname": head, "name": tail}
        cases = [{"classname": head, "name": tail + name, **verdict} for name, verdict in self.subtests]
        if self.parts:
            first = self.parts[0]
            cases.append({**names, **first, "message": "; ".join(part["message"] for part in self.parts),
                          "details": shard_plugin.clip("\n".join(part.get("details", "") for part in self.parts))})
        elif self.skipped_for is not None:
            cases.append({**names, "status": "skipped", "message": self.skipped_for})
        elif not self.ran:
            kind = type(test)
            why = self.blocked.get("%s.%s" % (kind.__module__, kind.__qualname__)) or self.blocked.get(kind.__module__)
            cases.append({**names, **(why or {"status": "failed", "message": "unittest did not run it"})})
        elif not cases:
            cases.append({**names, "status": "passed"})
        return cases


class Runner:
    def __init__(self, task, given):
        self.task, self.connection = task, task.connection
        self.project = shard_plugin.Project(os.getcwd())
        self.index = Index(given, self.project)
        self.result = Result(self, given)
        self.patterns = given.patterns
        self.red = False

    def main(self):
        if self.task.lists:
            self.list(self.task.names or self.patterns)
        if self.task.mode == "run":
            self.batch(self.task.names)
        elif self.task.mode == "persistent":
            for ids in self.connection.batches():
                self.batch(ids)
        self.teardown()
        self.connection.send("end")
        return 1 if self.red else 0

    def list(self, patterns):
        self.index.discover()
        units = {}
        for id, tests in self.index.tests.items():
            units.update((granule(test, self.task.granularity), None) for test in tests if id == test.id())
        units.update(dict.fromkeys(self.index.errors))
        wanted = {pattern: dotted(pattern) for pattern in patterns}
        for pattern, prefix in wanted.items():
            if not any(begins(id, prefix) for id in units):
                self.problem("%s: there is no such test" % pattern, "")
        for id in units:
            if not wanted or any(begins(id, prefix) for prefix in wanted.values()):
                self.connection.send("test", id=id)

    def batch(self, ids):
        units = {id: self.index.find(id) for id in ids}
        order = {name: n for n, name in enumerate(dict.fromkeys(type(test).__module__ for tests in units.values() for test in tests))}
        last = getattr(self.result, "_previousTestClass", None)
        # Classes and modules are set up once: what is set up comes first, then each with all of its units.
        try:
            for id in sorted(units, key=lambda id: self.place_in_order(units[id], order, last)):
                self.unit(id, units[id])
        finally:
            self.connection.flush()

    def place_in_order(self, tests, order, last):
        if not tests:
            return (True, True, -1, "")
        kind = type(tests[0])
        return (last is None or kind.__module__ != last.__module__, kind is not last, order[kind.__module__], kind.__qualname__)

    def unit(self, id, tests):
        cases = []
        if not tests:
            error = self.index.error(id)
            if error is None:
                return  # there is no such test
            cases = [{**error, **({} if id == error["name"] else dict(zip(("classname", "name"), id.rpartition(".")[::2])))}]
        self.connection.send("start", id=id)
        since, interrupt = time.perf_counter(), None
        for test in tests:
            if len(tests) > 1:
                self.connection.send("at", id=id, case=test.id())
            begun = time.perf_counter()
            self.result.begin(test)
            try:
                unittest.TestSuite([test]).run(self.result)
            except KeyboardInterrupt as error:
                interrupt = error
                self.result.parts.append(self.result.failed(test, (type(error), error, error.__traceback__), shard_plugin.trace(error)))
            found = self.result.verdict()
            found[-1]["seconds"] = time.perf_counter() - begun
            cases += found
            if interrupt:
                break
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        if self.connection.finish(id, cases, time.perf_counter() - since) == "failed":
            self.red = True
        if interrupt:
            raise interrupt

    def teardown(self):
        suite = unittest.TestSuite()
        suite._tearDownPreviousClass(None, self.result)
        suite._handleModuleTearDown(self.result)

    def problem(self, message, details):
        self.red = True
        self.connection.send("problem", scope="unittest", message=message, details=details)


def dotted(pattern):
    """A pattern as ids begin: a file or folder becomes the name of its module."""
    if os.path.exists(pattern):
        pattern = os.path.relpath(pattern)
        pattern = (pattern[:-3] if pattern.endswith(".py") else pattern).replace(os.sep, ".")
    return pattern


def begins(id, prefix):
    return prefix == "." or id == prefix or id.startswith(prefix + ".")


def main():
    task = shard_plugin.Task()
    shard_plugin.hide()
    given = options()
    top = os.path.abspath(given.top_level_directory or given.start_directory)
    sys.path[:0] = [path for path in (top, os.getcwd()) if path not in sys.path]  # as unittest does
    shard_plugin.show_stacks()
    return Runner(task, given).main()


if __name__ == "__main__":
    sys.exit(main())
