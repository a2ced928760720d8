"""Tells a shard worker what pytest does; see docs/runner-protocol.md. For pytest 7 and later."""
import copy
import os
import re

import pytest

import shard_plugin
from shard_plugin import clip, first_words, last_line

INTERRUPTS = (KeyboardInterrupt, pytest.exit.Exception)
FOLDER = getattr(pytest, "Directory", pytest.Package)  # Directory is of pytest 8


class Unit:
    """What the worker wants to have run: the items of a test, a class or a file."""

    def __init__(self, id, items):
        self.id, self.items, self.cases, self.seconds = id, items, [], 0.0
        self.left = len(items)


class Plugin:
    """The hooks. Ids are node ids relative to the folder where pytest was started, as a person gives them to pytest; pytest's
    own are relative to its rootdir.

    All modes run as `pytest OPTIONS` does in that folder, so that the configuration does not depend on what is in a batch.
    The files of a batch are collected when it comes, whole, as modules and fixtures are one thing; those that are listed first
    are kept.
    """

    def __init__(self, task):
        self.connection, self.mode, self.granularity, self.names = task.connection, task.mode, task.granularity, task.names
        self.lists = task.lists
        self.folders = {}  # nodes of packages and folders by path: one of each, that their fixtures are shared from batch to batch
        self.index = {}  # (position, item) by id, and by the ids of the class and the file
        self.items = 0  # in the index
        self.files = set()  # that were to be collected
        self.paths = set()  # of the items in the index
        self.errors = {}  # what could not be collected or was skipped, by id: a case
        self.uncollected = 0  # reports of such failures
        self.reports = []  # of the item that runs
        self.last = None  # the item that ran last, if what encloses it is still set up
        self.red = False  # a failure was told
        self.interrupted = False  # by a test, which was told
        self.done = False  # the work was done to its end

    # -- options

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config):
        option = config.option
        if getattr(option, "dist", "no") != "no" or getattr(option, "numprocesses", None):
            option.numprocesses, option.dist, option.tx = None, "no", []  # of xdist: this process is one of many already
        option.maxfail = 0  # the worker decides when to stop
        option.lf = option.stepwise = option.stepwise_skip = False  # the cache knows but a part of the last run
        option.usepdb = option.trace = False  # nobody is there to answer; at the end of its input, --trace lets any test pass
        if self.mode == "list":
            option.collectonly = True
        if getattr(option, "basetemp", None):  # pytest empties it when it starts; here, many start
            os.makedirs(option.basetemp, exist_ok=True)
            option.basetemp = os.path.join(option.basetemp, "shard-%d" % os.getpid())

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config):
        self.config = config
        self.project = shard_plugin.Project(config.invocation_params.dir)
        if self.lists and self.names:
            config.args = self.names
        terminal = config.pluginmanager.getplugin("terminalreporter")
        if terminal:  # no names of tests amid what they print
            terminal.write_ensure_prefix = terminal.write_fspath_result = lambda *_, **__: None

    # -- collection

    def id(self, node):
        _, colons, rest = node.nodeid.partition("::")
        return self.project.relative(node.path) + colons + rest

    def levels(self, item):
        """The ids of the file and what is in it, down to the item."""
        return [self.id(node) for node in item.listchain() if node.path == item.path and not isinstance(node, (pytest.Session, FOLDER))]

    def granule(self, item):
        levels = self.levels(item)
        return levels[0] if self.granularity == "file" else levels[:2][-1] if self.granularity == "class" else levels[-1]

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector):
        report = (yield).get_result()
        id = "" if isinstance(collector, pytest.Session) else self.id(collector)
        text = report.longreprtext
        if report.failed:
            file, line = self.project.place_in_text(text)
            self.errors[id] = {**names_of(report.nodeid), "status": "failed", "message": "cannot be collected: " + last_line(text),
                               "details": clip(text), "file": file or id.partition("::")[0], "line": line}
        elif report.skipped:
            self.errors[id] = {**names_of(report.nodeid), "status": "skipped", "message": skip_reason(report)}

    def pytest_collectreport(self, report):
        self.uncollected += report.failed

    def single(self, path, made):
        """Replaces a new node of a folder by the one that was made first."""
        node = made.get_result()
        if isinstance(node, FOLDER):
            made.force_result(self.folders.setdefault(path, node))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_pycollect_makemodule(self, module_path):
        self.single(module_path, (yield))  # pytest 7: the package of an __init__.py

    @pytest.hookimpl(hookwrapper=True, optionalhook=True)
    def pytest_collect_directory(self, path):
        self.single(path, (yield))  # pytest 8

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collection_finish(self, session):
        # pytest 9.1 drops the fixtures of conftest files in folders that were not collected. Here they may be yet.
        pending = getattr(session._fixturemanager, "_pending_conftests", {})
        kept = dict(pending)
        yield
        if self.mode != "list":
            pending.update(kept)

    def pytest_collection(self, session):
        if self.mode == "list":
            return None
        session.items = []
        session.testscollected = 0
        return True  # files are collected when a batch names them

    def collect(self, session, files):
        """Collects the files that are there and new."""
        new = [file for file in files if file not in self.files and os.path.exists(os.path.join(self.project.root, file))]
        self.files.update(new)
        try:
            if new:
                self.collect_paths(session, [os.path.join(self.project.root, file) for file in new])
        except pytest.UsageError:  # a file that pytest does not know how to collect spoils the others
            for file in new:
                try:
                    self.collect_paths(session, [os.path.join(self.project.root, file)])
                except pytest.UsageError as error:
                    self.errors[file] = {**names_of(file), "status": "failed", "message": "cannot be collected: %s" % error}

    def collect_ahead(self, session):
        """Collects what is listed, as the user names it."""
        session.perform_collect()
        if not any("::" in arg for arg in self.config.args):  # which may be a part of a file
            self.add(session.items)
            self.files.update(self.project.relative(path) for path in self.paths)

    def collect_paths(self, session, paths):
        total = session.testscollected
        pyargs, self.config.option.pyargs = self.config.option.pyargs, False  # these are no names of modules
        try:
            session.perform_collect(paths)
        finally:
            self.config.option.pyargs = pyargs
        session.testscollected += total
        self.add(session.items)

    def add(self, items):
        """Puts the items of new files into the index."""
        items = [item for item in items if item.path not in self.paths]
        for item in items:  # several may have one id: parameters that look alike
            self.items += 1
            for id in dict.fromkeys(self.levels(item)):
                self.index.setdefault(id, []).append((self.items, item))
        self.paths.update(item.path for item in items)

    # -- the loop

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        if self.mode == "list":
            self.list(session)
        elif self.mode == "run":
            self.batch(session, self.names, final=True)
        else:
            self.serve(session)
        self.done = True
        return True

    def list(self, session):
        for item in session.items:
            self.connection.send("test", id=self.granule(item))
        for id, case in self.errors.items():
            if id and id != ".":
                self.connection.send("test", id=id.partition("::")[0] if self.granularity == "file" else id)
            elif case["status"] == "failed":
                self.problem(case["message"], case["details"])

    def serve(self, session):
        if self.lists:
            self.collect_ahead(session)
            self.list(session)
        for ids in self.connection.batches():
            self.batch(session, ids)
        self.teardown(session, None)

    def batch(self, session, ids, final=False):
        """Runs units. After the last item of a final batch all is torn down; otherwise it is kept for the next batch."""
        self.collect(session, dict.fromkeys(id.partition("::")[0] for id in ids))
        steps = []
        for id in ids:
            unit = Unit(id, self.index.get(id, []))
            unit.cases = [case for part, case in self.errors.items() if part.startswith(id + "::")]
            steps += [(position, item, unit) for position, item in unit.items]
            if not unit.items:
                self.finish_without_items(unit)
        # What is set up is used first, then comes the order that pytest and its plugins want.
        path = self.last and self.last.path
        steps.sort(key=lambda step: (step[1].path != path, step[0]))
        session.items = [item for _, item, _ in steps]
        if steps and self.last:
            self.teardown(session, steps[0][1])
        try:
            for i, (_, item, unit) in enumerate(steps):
                following = steps[i + 1][1] if i + 1 < len(steps) else None if final else copy.copy(item)  # a sibling
                self.step(item, following, unit)
                self.last = following and item
                if session.shouldfail:
                    raise session.Failed(session.shouldfail)
                if session.shouldstop:
                    raise session.Interrupted(session.shouldstop)
        finally:
            self.connection.flush()

    def step(self, item, following, unit):
        if unit.left == len(unit.items):
            self.connection.send("start", id=unit.id)
        if len(unit.items) > 1:
            self.connection.send("at", id=unit.id, case=item.nodeid)
        self.reports = []
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        except INTERRUPTS as error:
            message = "pytest.exit: %s" % error if isinstance(error, pytest.exit.Exception) else shard_plugin.short(error)
            failure = item.repr_failure(pytest.ExceptionInfo.from_current())
            file, line = self.place(item, failure)
            unit.cases.append({**names_of(item.nodeid), "status": "failed", "message": message,
                               "details": clip(str(failure)), "file": file, "line": line})
            self.interrupted = True
            self.finish(unit)
            raise
        unit.cases += self.cases(item, self.reports)
        unit.seconds += sum(report.duration for report in self.reports)
        unit.left -= 1
        if unit.left == 0:
            self.finish(unit)

    def teardown(self, session, following):
        """Ends what the item that ran last shared with others, except with the one that follows."""
        try:
            session._setupstate.teardown_exact(following)
        except BaseException as error:  # it belongs to tests whose results are told already
            after = " after " + self.id(self.last) if self.last else ""
            self.problem("teardown of a shared fixture%s: %s" % (after, shard_plugin.short(error)), shard_plugin.trace(error))
        self.last = None

    # -- what happened

    @pytest.hookimpl(hookwrapper=True)
    def pytest_report_teststatus(self):
        status = yield
        if status.get_result():  # no letters of progress amid what the tests print
            status.force_result((status.get_result()[0], "", ""))

    def pytest_runtest_logreport(self, report):
        self.reports.append(report)

    def finish_without_items(self, unit):
        """Tells of a unit that is in a file, class or folder that could not be collected. There may be no such unit, too."""
        causes = [case for id, case in self.errors.items() if unit.id == id or not id or id == "." or unit.id.startswith((id + "::", id + "/"))]
        if causes and not unit.cases:
            unit.cases = [{**causes[-1], **(names_of(unit.id) if "::" in unit.id else {})}]
        if unit.cases:
            self.connection.send("start", id=unit.id)
            self.finish(unit)
            self.connection.flush()

    def finish(self, unit):
        if self.connection.finish(unit.id, unit.cases, unit.seconds) == "failed":
            self.red = True

    def problem(self, message, details):
        self.red = True
        self.connection.send("problem", scope="pytest", message=message, details=clip(details))

    def cases(self, item, reports):
        """A case for each subtest of an item that did not pass, and one for the item: what it says of subtests, they say better."""
        last = [report for report in reports if report.outcome != "rerun"]  # of pytest-rerunfailures
        plain = [report for report in last if not hasattr(report, "context")]  # of pytest-subtests, and pytest 9
        cases = []
        for report in last:
            if report not in plain and not report.passed:
                names = names_of(item.nodeid)
                names["name"] += " " + subtest_name(report.context)
                cases.append({**names, **self.verdict(item, [report]), "seconds": report.duration})
        return cases + [{**names_of(item.nodeid), **self.verdict(item, plain), "seconds": sum(report.duration for report in plain)}]

    def verdict(self, item, reports):
        bad = [report for report in reports if report.failed]
        if bad:
            file, line = self.place(item, bad[0].longrepr)
            return {"status": "failed", "message": "; ".join(map(summary, bad)), "file": file, "line": line,
                    "details": clip("\n".join(report.longreprtext for report in bad)),
                    "output": clip("".join("%s\n%s\n" % section for section in bad[-1].sections))}
        for report in reports:
            if report.skipped:
                return {"status": "skipped", "message": skip_reason(report)}
        if not any(report.when == "call" for report in reports):
            return {"status": "failed", "message": "pytest did not call it: another plugin, a conftest.py or an option such as --setup-only kept it from running"}
        return {"status": "passed"}

    def place(self, item, failure):
        """Where it failed: the innermost place that is of this project, not of a library."""
        entries = getattr(getattr(failure, "reprtraceback", None), "reprentries", [])
        places = [getattr(failure, "reprcrash", None)] + [getattr(entry, "reprfileloc", None) for entry in reversed(entries)]
        places += [place for place, _ in getattr(failure, "reprlocation_lines", None) or []]  # of a doctest
        for place in places:
            if place and place.lineno and self.project.inside(place.path):
                return self.project.relative(place.path), place.lineno
        line = item.location[1]
        return self.project.relative(item.path), None if line is None else line + 1

    # -- the end

    def pytest_internalerror(self, excrepr):
        self.problem("internal error: " + last_line(str(excrepr)), str(excrepr))

    def pytest_keyboard_interrupt(self, excinfo):
        if not self.interrupted:
            self.problem("it was interrupted: " + excinfo.exconly(), str(excinfo.getrepr()))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        # Bad only for what could not be collected but is of another batch, or for a batch in which all was skipped.
        if self.done and not self.red and session.testsfailed == self.uncollected and exitstatus in (1, 5):
            session.exitstatus = 0

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self):
        if self.done or self.interrupted:
            self.connection.send("end")


def names_of(nodeid):
    """Class and name as pytest's JUnit file has them."""
    address, bracket, parameters = nodeid.partition("[")
    names = address.split("::")
    names[0] = re.sub(r"\.py$", "", names[0].replace("/", "."))
    return {"classname": ".".join(names[:-1]), "name": names[-1] + bracket + parameters}


def subtest_name(context):
    """As pytest 9 has it: [message] (i=1)."""
    message = [] if context.msg is None else ["[%s]" % context.msg]
    values = ", ".join("%s=%s" % pair for pair in context.kwargs.items())
    return " ".join(message + (["(%s)" % values] if values else [])) or "(<subtest>)"


def summary(report):
    """What a person wants to read first of a failure."""
    when = "" if report.when == "call" else report.when + " failed: "
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        return when + first_words(crash.message)
    doctest = [line.strip() for _, lines in getattr(report.longrepr, "reprlocation_lines", None) or [] for line in lines]
    begins = [i for i, line in enumerate(doctest) if line.startswith(("Expected", "UNEXPECTED EXCEPTION"))]
    if begins:
        return when + " ".join(doctest[begins[0]:begins[0] + 10])
    missing = getattr(report.longrepr, "errorstring", None)  # of a fixture that is not there
    return when + (missing.splitlines()[0] if missing else last_line(report.longreprtext))


def skip_reason(report):
    if hasattr(report, "wasxfail"):
        return ("xfail: " + report.wasxfail).rstrip(": ")
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return re.sub("^Skipped: ", "", reason)


plugin = None
if "SHARD_SOCKET" in os.environ:  # it is not in a pytest that a test starts
    plugin = Plugin(shard_plugin.Task())
    shard_plugin.hide()
    shard_plugin.show_stacks()


@pytest.hookimpl(tryfirst=True)
def pytest_addoption(pluginmanager):
    if plugin is not None:
        pluginmanager.register(plugin, "shard")
