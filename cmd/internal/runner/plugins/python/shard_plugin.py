"""What the plugins for pytest and for unittest share; see docs/runner-protocol.md. For Python 3.7 and later."""
import faulthandler
import json
import os
import re
import signal
import socket
import sys
import traceback

MOST_TEXT = 128 * 1024
RUNNERS = r"/(_pytest|pluggy)/|/python[\d.]+/(unittest|importlib)/|^<frozen importlib|/shard_\w+\.py$"  # files that are theirs


class Connection:
    """The socket of the worker."""

    def __init__(self, path):
        self.process, self.held = os.getpid(), b""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.answers = self.socket.makefile("r", encoding="utf-8", newline="\n")

    def send(self, type, **fields):
        """Sends a message. A finish is held until the next message or flush, which has to come before anything else runs: the
        start of the next test then costs nothing."""
        line = json.dumps({"type": type, **{key: value for key, value in fields.items() if value is not None}})
        self.held += line.encode() + b"\n"
        if type != "finish":
            self.flush()

    def flush(self):
        held, self.held = self.held, b""
        if held and os.getpid() == self.process:  # else a test forked, and its child went on as if it were the runner
            self.socket.sendall(held)

    def ask(self):
        self.send("want")
        line = self.answers.readline() if os.getpid() == self.process else ""
        return json.loads(line) if line else {"type": "stop"}

    def batches(self):
        """Asks for batches until there are no more, and yields the ids of each."""
        while True:
            answer = self.ask()
            if answer["type"] != "batch":
                return
            os.environ["SHARD_BATCH_ID"] = answer.get("batch", "")
            yield answer["ids"]

    def finish(self, id, cases, seconds):
        """Tells the end of a unit of one or several cases."""
        statuses = {case["status"] for case in cases}
        status = "failed" if "failed" in statuses else "skipped" if statuses == {"skipped"} else "passed"
        told = {}
        if len(cases) == 1:
            told = {key: cases[0].get(key) for key in ("message", "file", "line", "details", "output")}
            cases = [{key: value for key, value in cases[0].items() if key not in ("details", "output")}]
        elif status == "skipped":
            told = {"message": cases[0]["message"]}
        self.send("finish", id=id, status=status, seconds=seconds, cases=cases, **told)
        return status


class Task:
    """What the worker wants to have done, as its environment says. mode is list, run or persistent; names are the units to run,
    or what is to be listed, if lists says so."""

    def __init__(self):
        self.connection = Connection(os.environ.pop("SHARD_SOCKET"))  # a runner that a test starts does not find it
        self.mode, self.granularity = os.environ.pop("SHARD_MODE"), os.environ.pop("SHARD_GRANULARITY")
        self.lists = self.mode == "list" or os.environ.pop("SHARD_LIST", "") == "1"
        with open(os.environ.pop("SHARD_TESTS_FILE"), encoding="utf-8", newline="\n") as file:
            self.names = [line for line in file.read().split("\n") if line]


class Project:
    """The folder that the runner was started in, root."""

    def __init__(self, root):
        self.root = str(root)
        self.relatives = {}

    def relative(self, path):
        if path not in self.relatives:
            self.relatives[path] = os.path.relpath(os.path.join(self.root, path), self.root)
        return self.relatives[path]

    def inside(self, path):
        """Whether a file is of the project itself, not of a library."""
        relative = self.relative(path)
        return not relative.startswith("..") and "site-packages" not in relative and os.path.exists(os.path.join(self.root, path))

    def place_in_text(self, text):
        """The file and line of the innermost place in a traceback that is of the project, or None twice."""
        places = re.findall(r'^(?:(?:E +| +)File "(.+)", line |([^\s:][^:]*):)(\d+)(?:, in .*|: in .*)?$', text, re.MULTILINE)
        for quoted, plain, line in reversed(places):
            if self.inside(quoted or plain):
                return self.relative(quoted or plain), int(line)
        return None, None


def clip(text):
    if len(text) <= MOST_TEXT:
        return text
    return text[: MOST_TEXT // 4] + "\n[...]\n" + text[-MOST_TEXT * 3 // 4:]


def short(error):
    """The beginning of an error's message, in one line."""
    lines = traceback.format_exception_only(type(error), error)
    return last_line(lines[-1]) if isinstance(error, SyntaxError) else first_words("".join(lines))


def first_words(text):
    """The first line of a message, and the second where the first only says what it is about."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    return " ".join(lines[:2] if lines[0].endswith(":") else lines[:1])


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return re.sub(r"^E +", "", lines[-1]).strip() if lines else ""


def trace(error):
    """The traceback without what is of the runner and of Python's import."""
    whole = traceback.TracebackException.from_exception(error)
    own = [frame for frame in whole.stack if not re.search(RUNNERS, frame.filename)]
    whole.stack = traceback.StackSummary.from_list(own)
    return "".join(whole.format())


def show_stacks():
    """Prints the stacks of all threads upon SIGTERM, by which a worker ends a test that hangs, and then ends as if without."""
    if not hasattr(faulthandler, "register") or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return
    faulthandler.register(signal.SIGTERM, file=os.dup(2), chain=True)  # pytest will replace its stderr

    def leave():  # children that a test forks end without a word
        if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            faulthandler.unregister(signal.SIGTERM)
    os.register_at_fork(after_in_child=leave)


def hide():
    """Takes the folder of this file out of what the tests and their children see."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if entry != here]
    before, found, rest = os.environ.get("PYTHONPATH", "").partition(here)
    if found and rest:
        os.environ["PYTHONPATH"] = before + rest[1:]
    elif found:
        os.environ.pop("PYTHONPATH")
