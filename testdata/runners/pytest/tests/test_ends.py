import os
import signal
import sys
import time

import pytest


def test_before():
    pass


def test_exit():
    sys.exit(0)


def test_exit_at_once():
    print("about to leave")
    os._exit(0)


def test_kill():
    os.kill(os.getpid(), signal.SIGKILL)


def test_hang():
    time.sleep(600)


def test_pytest_exit():
    pytest.exit("enough", returncode=0)


def test_interrupt():
    raise KeyboardInterrupt


def test_after():
    pass
