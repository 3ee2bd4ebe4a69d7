"""The time that counts against a submission: work, and a quarter of waiting."""

import subprocess
import sys
import time

import pytest

from minialexnet.exercise.grading import clock

pytestmark = pytest.mark.skipif(
    clock.worked(1) is None, reason="this system does not tell what a process has worked"
)


@pytest.fixture
def process():
    """Starts Python on a text that prints a line when it is ready, and one at its end."""
    started = []

    def process(text):
        words = [sys.executable, "-c", f"print(flush=True)\n{text}\nprint(flush=True)\ninput()"]
        one = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(one)
        one.stdout.readline()
        return one

    yield process
    for one in started:
        one.kill()
        one.communicate()


def test_a_process_that_works_is_charged_what_it_works_however_long_that_takes(process):
    one = process("import time\nwhile time.process_time() < 1: pass")
    counts = clock.Clock(one.pid)
    began = time.monotonic()
    one.stdout.readline()
    passed = time.monotonic() - began
    # What it took to start is not in it, and a busy machine makes it wait.
    assert 0.5 <= counts() <= max(1.1, passed / clock.IDLE)


def test_a_process_that_waits_is_charged_a_quarter(process):
    one = process("import time; time.sleep(1)")
    counts = clock.Clock(one.pid)
    began = time.monotonic()
    one.stdout.readline()
    charged, passed = counts(), time.monotonic() - began
    assert passed / clock.IDLE - 0.01 <= charged <= passed / clock.IDLE + 0.1


def test_the_clock_never_goes_back_and_outlives_its_process(process):
    one = process("")
    counts = clock.Clock(one.pid)
    before = counts()
    one.kill()
    one.wait()
    time.sleep(0.1)
    assert counts() - before >= 0.1
