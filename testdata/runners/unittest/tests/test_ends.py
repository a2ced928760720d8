import os
import signal
import time
import unittest


class Process(unittest.TestCase):
    def test_a_before(self):
        pass

    def test_b_exit(self):
        print("about to leave")
        os._exit(0)

    def test_c_kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def test_d_hang(self):
        time.sleep(600)

    def test_e_interrupt(self):
        raise KeyboardInterrupt

    def test_f_after(self):
        pass
