"""Tells a shard worker what pytest does; see docs/runner-protocol.md. For pytest 7 and later; needs nothing else."""
import json
import os
import socket

import pytest

MOST_TEXT = 128 * 1024


def clip(text):
    text = text or ""
    if len(text) <= MOST_TEXT:
        return text
    return text[: MOST_TEXT // 4] + "\n[...]\n" + text[-MOST_TEXT * 3 // 4:]


class Connection:
    """The socket of the worker. What the tests start must not see its address."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.answers = self.socket.makefile("r", encoding="utf-8")

    def send(self, type, **fields):
        line = json.dumps({"type": type, **{k: v for k, v in fields.items() if v not in (None, "", [])}})
        self.socket.sendall(line.encode("utf-8", "backslashreplace") + b"\n")

    def ask(self):
        self.send("want")
        line = self.answers.readline()
        return json.loads(line) if line else {"type": "stop"}


class Sibling:
    """Stands for the unknown next item: whatever encloses the item stays set up."""

    def __init__(self, item):
        self.chain = item.listchain()[:-1] + [self]

    def listchain(self):
        return self.chain


class Unit:
    def __init__(self, id):
        self.id, self.items, self.left, self.seconds, self.cases = id, [], None, 0.0, []


class Plugin:
    def __init__(self, connection, mode, granularity, wanted):
        self.connection, self.mode, self.granularity = connection, mode, granularity
        self.units = {id: Unit(id) for id in wanted}
        self.cached = {}  # persistent mode: items by file, of all files collected so far
        self.errors = {}  # what could not be collected, by node id: (status, message, details)
        self.reports = []  # of the item that runs
        self.running = {}  # unit of an item's node id

    # -- what there is

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config):
        if getattr(config.option, "numprocesses", None):  # this process is one of many already
            config.option.numprocesses = None
            config.option.dist = "no"
            config.option.tx = []

    def pytest_configure(self, config):
        config.option.continue_on_collection_errors = True
        self.config = config

    def pytest_collectreport(self, report):
        if report.failed:
            self.errors[report.nodeid] = ("failed", "cannot be collected: " + last_line(report.longreprtext), report.longreprtext)
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.errors[report.nodeid] = ("skipped", reason, "")

    def unit_of(self, nodeid):
        """The unit of the batch that an item belongs to."""
        id = nodeid
        while id:
            if id in self.units:
                return self.units[id]
            id = id.rpartition("::")[0]
        return None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        if self.mode != "run":
            return
        chosen, others = [], []
        for item in items:
            (chosen if self.unit_of(item.nodeid) else others).append(item)
        items[:] = self.take(chosen)
        if others:
            config.hook.pytest_deselected(items=others)

    def take(self, items):
        """Assigns items to the units, each item once, and tells of units that could not be collected."""
        seen, chosen = set(), []
        for item in items:
            unit = self.unit_of(item.nodeid)
            if unit and item.nodeid not in seen:
                seen.add(item.nodeid)
                unit.items.append(item)
                self.running[item.nodeid] = unit
                chosen.append(item)
        for unit in self.units.values():
            unit.left = len(unit.items)
            if unit.items:
                continue
            for nodeid, (status, message, details) in self.errors.items():
                if nodeid and (unit.id == nodeid or unit.id.startswith((nodeid + "::", nodeid + "/"))):
                    self.connection.send("start", id=unit.id)
                    self.connection.send("finish", id=unit.id, status=status, message=message, details=clip(details), file=nodeid,
                                         cases=[{"classname": classname(unit.id), "name": name(unit.id), "status": status, "message": message}])
                    break
        return chosen

    def pytest_collection(self, session):
        if self.mode == "persistent":
            session.items = []
            session.testscollected = 0
            return True  # files are collected when a batch names them

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        if self.mode == "list":
            for id in dict.fromkeys([self.granule(item.nodeid) for item in session.items] + list(self.errors)):
                if id:
                    self.connection.send("test", id=id)
            return True
        if self.mode == "persistent":
            self.serve(session)
            return True

    def granule(self, nodeid):
        parts = nodeid.split("::")
        if self.granularity == "file":
            return parts[0]
        if self.granularity == "class" and len(parts) > 2 and "[" not in parts[1]:
            return "::".join(parts[:2])
        return nodeid

    # -- persistent mode

    def serve(self, session):
        while True:
            answer = self.connection.ask()
            if answer["type"] != "batch":
                break
            os.environ["SHARD_BATCH_ID"] = answer.get("batch", "")
            self.batch(session, answer["ids"])
        self.teardown(session, None)

    def batch(self, session, ids):
        self.units = {id: Unit(id) for id in ids}
        self.running = {}
        files = dict.fromkeys(id.split("::")[0] for id in ids)
        new = [file for file in files if file not in self.cached]
        if new:
            self.collect(session, new)
        items = self.take([item for file in files for item in self.cached.get(file, [])])
        session.items = items
        for i, item in enumerate(items):
            if i == 0:
                self.teardown(session, item)
            following = items[i + 1] if i + 1 < len(items) else Sibling(item)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail or session.shouldstop:
                return

    def collect(self, session, files):
        for file in files:
            self.cached[file] = []
        root = self.config.rootpath
        found = [file for file in files if (root / file).exists()]
        if not found:
            return
        session.perform_collect([str(root / file) for file in found])
        for item in session.items:
            self.cached.setdefault(item.nodeid.split("::")[0], []).append(item)

    def teardown(self, session, following):
        try:
            session._setupstate.teardown_exact(following)
        except BaseException as error:  # it belongs to tests whose results are told already
            self.connection.send("problem", scope="pytest", message="teardown of a shared fixture: %r" % (error,), details=clip(trace(error)))

    # -- what happens

    def pytest_runtest_logstart(self, nodeid, location):
        unit = self.running.get(nodeid)
        self.reports = []
        if unit is None:
            return
        if unit.left == len(unit.items):
            self.connection.send("start", id=unit.id)
        if len(unit.items) > 1:
            self.connection.send("at", id=unit.id, case=nodeid)

    def pytest_runtest_logreport(self, report):
        self.reports.append(report)

    def pytest_runtest_logfinish(self, nodeid, location):
        unit = self.running.get(nodeid)
        if unit is None:
            return
        unit.cases += self.cases(nodeid, self.reports)
        unit.seconds += sum(report.duration for report in self.reports)
        unit.left -= 1
        if unit.left == 0:
            statuses = [case["status"] for case in unit.cases]
            status = "failed" if "failed" in statuses else "skipped" if set(statuses) <= {"skipped"} else "passed"
            first = next((case for case in unit.cases if case["status"] == status), {})
            message = {key: first.get(key) for key in ("message", "file", "line")} if status != "passed" else {}
            own = {key: first.pop(key, None) for key in ("details", "output")} if len(unit.cases) == 1 else {}
            self.connection.send("finish", id=unit.id, status=status, seconds=unit.seconds, cases=unit.cases, **message, **own)

    def cases(self, nodeid, reports):
        final = [report for report in reports if report.outcome != "rerun"]
        bad = [report for report in final if report.failed]
        case = {"classname": classname(nodeid), "name": name(nodeid), "status": "passed", "seconds": sum(r.duration for r in final)}
        if bad:
            case.update(status="failed", message="; ".join(self.crash(report)["message"] for report in bad),
                        details=clip("\n".join(report.longreprtext for report in bad)),
                        output=clip("".join(header + "\n" + text + "\n" for header, text in bad[-1].sections)))
            case.update({key: value for key, value in self.crash(bad[0]).items() if key != "message"})
        elif any(report.skipped for report in final):
            case.update(status="skipped", message=next(skip_reason(report) for report in final if report.skipped))
        return [case]

    def crash(self, report):
        crash = getattr(report.longrepr, "reprcrash", None)
        where = "" if report.when == "call" else report.when + " failed: "
        file, line = report.location[0], (report.location[1] or 0) + 1
        if crash is None:
            return {"message": where + last_line(report.longreprtext), "file": file, "line": line}
        relative = os.path.relpath(crash.path, str(self.config.rootpath)) if os.path.isabs(crash.path) else crash.path
        if not relative.startswith(".."):
            file, line = relative, crash.lineno
        return {"message": where + crash.message.split("\n")[0], "file": file, "line": line}

    def pytest_internalerror(self, excrepr):
        self.connection.send("problem", scope="pytest", message="internal error: " + last_line(str(excrepr)), details=clip(str(excrepr)))

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self):
        self.connection.send("end")


def classname(id):
    parts = id.split("[")[0].split("::")
    path = parts[0][:-3] if parts[0].endswith(".py") else parts[0]
    return ".".join([path.replace("/", ".")] + parts[1:-1])


def name(id):
    head, bracket, parameters = id.partition("[")
    return head.split("::")[-1] + bracket + parameters


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].lstrip("E ").strip() if lines else ""


def skip_reason(report):
    if hasattr(report, "wasxfail"):
        return "xfail: " + report.wasxfail if report.wasxfail else "xfail"
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)


def trace(error):
    import traceback
    return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def start():
    path = os.environ.pop("SHARD_SOCKET", None)
    if path is None:
        return None  # a pytest that a test started
    here = os.path.dirname(os.path.abspath(__file__))
    rest = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry and entry != here]
    if rest:
        os.environ["PYTHONPATH"] = os.pathsep.join(rest)
    else:
        os.environ.pop("PYTHONPATH", None)
    mode, wanted = os.environ.pop("SHARD_MODE"), []
    if mode == "run":
        with open(os.environ["SHARD_TESTS_FILE"], encoding="utf-8") as file:
            wanted = file.read().splitlines()
    return Plugin(Connection(path), mode, os.environ.pop("SHARD_GRANULARITY", "test"), wanted)


plugin = start()


@pytest.hookimpl(tryfirst=True)
def pytest_addoption(parser, pluginmanager):
    if plugin is not None:
        pluginmanager.register(plugin, "shard")
