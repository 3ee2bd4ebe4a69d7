"""Which protections against a submission this system allows, found out by trying them."""

import ctypes
import os
import signal
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from minialexnet.exercise.grading import hollow
from minialexnet.exercise.grading.session import Limits, Session
from minialexnet.exercise.grading.submission import Source

PR_SET_CHILD_SUBREAPER = 36
# The process that has adopted, and has no other children.
_adopting: int | None = None
ALWAYS = (
    "marks are worked out in a process that never runs a submission's code",
    "a process for each exercise of a submission, stopped with all that it started",
    "limits on time, processor time, memory, open files and the size of files",
    "a temporary working and home folder",
    "submissions are read, never written to",
)
WALLED = (
    "no network",
    "no other process is seen, and none outlives the first",
    "files: only read-only copies of Python, its packages and the system's libraries are seen, and "
    "one temporary folder in memory",
    "the library that is seen lacks the answer to the exercise",
    "a user without rights",
    "a limit on processes",
)
LACKING = (
    "no network (a submission could reach it)",
    "other processes of the grader's user are safe (a submission could stop them)",
    "files: whatever the grader's user may read or write, a submission may too, the library's own "
    "layers among it; attempts that can be seen in its text are reported",
)


@dataclass(frozen=True)
class Protection:
    """How submissions are confined.

    Parameters
    ----------
    walled : in namespaces of their own (Linux)
    apart : as a user who has no rights and no other process (where the grader is root)
    """

    walled: bool
    apart: bool = False

    @property
    def user(self) -> int | None:
        """The number of that user: another one in each of the grader's processes."""
        return 50000 + os.getpid() % 10000 if self.apart else None

    def reap(self) -> None:
        """Kill what a submission's process has left behind, where it could."""
        if not self.walled and _adopting == os.getpid():
            _reap()

    def told(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What is in force, and what is not."""
        held, lacking = list(ALWAYS), []
        if self.walled:
            return (*held, *WALLED), ()
        lacking += LACKING
        if self.apart:
            held += WALLED[-2:]
        elif os.getuid() == 0:
            lacking.append(
                "a limit on processes: none binds root, and no other user can run Python"
            )
        else:
            held.append(WALLED[-1])
        if sys.platform == "darwin":
            lacking.append("a limit on memory: macOS has none")
        return tuple(held), tuple(lacking)


def found(limits: Limits) -> Protection:
    """The best that works here."""
    root = os.getuid() == 0
    choices = [Protection(False, root), Protection(False)]
    if sys.platform == "linux":
        choices.insert(0, Protection(True, root))
    for choice in choices:
        if works(choice, limits):
            return choice
    raise OSError("Python cannot be started within the limits of this homework (homework.json)")


def works(choice: Protection, limits: Limits) -> bool:
    """Whether a harmless submission runs so."""
    with tempfile.TemporaryDirectory() as folder:
        hollow.write(Path(folder))
        source = Source("nothing.py", (("nothing.py", "import minialexnet\ndef f(): return 12"),))
        with Session(source, "f", folder, choice, limits) as session:
            try:
                return session.candidate()() == 12
            except Exception:
                return False


def adopt() -> None:
    """Become the parent of what submissions leave behind, so that `reap` finds it (Linux).

    Only for a process that marks and does nothing else: `reap` kills all its children.
    """
    global _adopting
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        _adopting = os.getpid()


def _reap() -> None:
    for _ in range(1000):
        left = _children()
        if not left:
            return
        for number in left:
            with suppress(OSError):
                os.kill(number, signal.SIGKILL)
            with suppress(OSError):
                os.waitpid(number, 0)


def _children() -> list[int]:
    try:
        numbers = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError:
        return []
    return [int(number) for number in numbers.split()]
