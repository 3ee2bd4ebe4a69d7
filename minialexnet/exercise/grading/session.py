"""A submission at work: its process, and the object in it that the checks are given."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minialexnet import strict
from minialexnet.exercise.grading import cage, wire
from minialexnet.exercise.grading.clock import Clock
from minialexnet.exercise.grading.hollow import package
from minialexnet.layers import Layer

HERE = Path(__file__).parent
# Seconds for Python and NumPy to start.
STARTING = 120
PREFIXES = (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
# Seconds for a process that has closed the connection to end.
ENDING = 10
ENDED = "there is no answer any more: the process ended before"
SYSTEM = ("/usr", "/bin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache")
# Where nbgrader's users exchange their files.
EXCHANGE = "/usr/local/share/nbgrader"


@dataclass(frozen=True)
class Limits:
    """What one exercise of one submission may use.

    Parameters
    ----------
    seconds : for one answer, by its `clock.Clock`
    whole : seconds for all of them together
    late : so often the same method may give no answer in time; then it is not called again
    processor : seconds of processor time, from one start to the next
    memory : MB of address space
    files : MB of all files, and of one file
    processes : processes and threads
    """

    seconds: float = 20
    whole: float = 180
    late: int = 2
    processor: int = 120
    memory: int = 2048
    files: int = 64
    processes: int = 32


class NoAnswer(Exception):
    """The submission's process has ended, or has not answered in time."""


class Library:
    """What of minialexnet a submission may be handed as its own copy: all but the answer."""

    def __init__(self, hidden):
        self.hidden = hidden

    def name(self, value):
        module = getattr(value, "__module__", None) or ""
        name = getattr(value, "__qualname__", None)
        allowed = module.startswith("minialexnet.") and ".exercise" not in module
        if not allowed or not isinstance(name, str) or "<" in name or name in self.hidden:
            return None
        return f"{module}:{name}" if hasattr(sys.modules.get(module), name) else None

    def kind(self, name):
        """The class that a submission's object says it is of: for isinstance, and nothing else."""
        module, _, inside = str(name).partition(":")
        found = getattr(sys.modules.get(module), inside, None)
        proper = isinstance(found, type) and module.startswith("minialexnet.")
        return found if proper and ".exercise" not in module else None


def serve(operation, target, *operands):
    """What a submission may ask of the grader's own layers: to be used as layers."""
    layer = isinstance(target, Layer)
    name = operands[0] if operands else None
    if layer and isinstance(name, str) and name.startswith("_"):
        raise AttributeError(name)
    if operation == "call" and (name is None or layer):
        return wire.serve(operation, target, *operands)
    if layer and (
        operation in ("get", "copy", "deepcopy") or (operation, name) == ("set", "params")
    ):
        return wire.REQUESTS[operation](target, *operands)
    raise TypeError("that is not possible when exercises are marked")


class _Peer(wire.Peer):
    def __init__(self, session, *args):
        super().__init__(*args)
        self.session = session

    def ask(self, operation, target, *operands):
        doing = operands[0] or "call" if operation == "call" else operation
        if self.session.late[doing] >= self.session.limits.late:
            raise NoAnswer("not tried: the answer was waited for too often before")
        if self is not self.session.peer:
            raise NoAnswer(ENDED)
        if self.session.waited > self.session.limits.whole:
            raise NoAnswer("not tried: the time for the whole exercise was used up")
        start = self.clock()
        try:
            return super().ask(operation, target, *operands)
        except wire.Broken as error:
            raise NoAnswer(self.session.ended(error, doing)) from None
        finally:
            if self.seconds != STARTING and not self.depth:
                self.session.waited += self.clock() - start


class Session:
    """Runs one exercise of one submission, in a new process after each that ends.

    Parameters
    ----------
    submission : a `grading.submission.Source`
    provides : the name of what it has to define
    library : folder with the library that its process sees, and its program (`hollow.write`)
    protection : a `grading.protection.Protection`
    limits : a `Limits`
    hidden : names of the library that must not be handed over
    """

    def __init__(self, submission, provides, library, protection, limits, hidden=()):
        self.submission, self.provides, self.library = submission, provides, library
        self.protection, self.limits = protection, limits
        self.names = Library(frozenset(hidden))
        self.process = self.peer = self.folder = self.over = None
        # Whether a process failed before it ran any of the submission: nobody's fault but ours.
        self.unstarted = False
        self.waited = 0.0
        self.late, self.definitions_only, self.failed = Counter(), False, ()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    def candidate(self):
        """The submission's object, in a process that runs.

        Raises
        ------
        NoAnswer, AttributeError
        """
        if self.process is None:
            self._load()
        return self.peer.ask("candidate", None, self.provides)

    def _load(self):
        """Start it; where its file does not come to an end, with its definitions alone."""
        for _ in range(2):
            self.start()
            try:
                self.failed = self.peer.ask(
                    "load",
                    None,
                    self.submission.cells,
                    self.submission.files,
                    self.definitions_only,
                )
                return
            except NoAnswer:
                if self.definitions_only:
                    raise
                self.definitions_only = True
                self.late.clear()

    def start(self):
        ours, theirs = socket.socketpair()
        self.folder = tempfile.TemporaryDirectory(prefix="minialexnet-")
        folder, library = Path(self.folder.name), Path(self.library)
        (folder / "root").mkdir()
        (folder / "tmp").mkdir()
        user = self.protection.user
        if user is not None:
            os.chown(folder / "tmp", user, user)
            folder.chmod(0o711)
        code, home = (
            ("/library", cage.HOME) if self.protection.walled else (library, folder / "tmp")
        )
        limits, mega = self.limits, 2**20
        settings = {
            "walled": self.protection.walled,
            "user": user,
            "root": f"{folder}/root",
            "show": {**shown(), str(library): "/library"},
            "hide": [str(package()), EXCHANGE],
            "environment": environment(home),
            "limits": {
                "AS": limits.memory * mega,
                "CPU": limits.processor,
                "FSIZE": limits.files * mega,
                "NPROC": limits.processes,
                "NOFILE": 64,
                "CORE": 0,
            },
        }
        command = [sys.executable, "-sB", f"{code}/child.py", str(theirs.fileno()), str(code)]
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-IS", str(HERE / "cage.py"), json.dumps(settings), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd=folder / "tmp",
            )
        self.peer = _Peer(self, ours, serve, self.names, strict)
        self.peer.seconds, self.peer.clock = STARTING, Clock(self.process.pid)
        self.over = None
        # A busy machine takes its time, which is not the submission's.
        try:
            self.peer.ask("ready", None)
        except NoAnswer as error:
            self.unstarted = True
            raise NoAnswer(f"no process could be started: {error}") from None
        self.peer.seconds = limits.seconds

    def ended(self, error, doing: str) -> str:
        """Why there is no answer, in the student's words; the process is stopped."""
        if self.over is not None:
            return ENDED
        if isinstance(error, wire.Late):
            self.late[doing] += 1
            self.over = "late"
            self.stop()
            return (
                f"no answer within {self.limits.seconds:g} s: is there a loop that does not end, "
                "or one that is far too slow?"
            )
        self.over, code = "ended", None
        if isinstance(error, wire.Gone):
            with suppress(subprocess.TimeoutExpired):
                code = self.process.wait(ENDING)
        self.stop()
        if code is None:
            return "what came back could not be read"
        if code in (128 + signal.SIGKILL, -signal.SIGKILL):
            return "the process was stopped: it used too much time or memory, or ended itself"
        if code > 128 or code < 0:
            number = code - 128 if code > 128 else -code
            return f"the process crashed ({_signal(number)}): does something call itself for ever?"
        return f"the process was ended from within (exit code {code})"

    def stop(self):
        """Leave nothing behind: no process and no file."""
        if self.process is None:
            return
        if self.protection.walled:
            # What it has started counts against the next until it is gone.
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(ENDING)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.protection.reap()
        self.peer.connection.close()
        self.process = None
        _cleared(self.folder)


def _cleared(folder) -> None:
    for path, names, _ in os.walk(folder.name):
        for name in names:
            inner = os.path.join(path, name)
            # A link may point anywhere.
            if not os.path.islink(inner):
                with suppress(OSError):
                    os.chmod(inner, 0o700)
    with suppress(OSError):
        folder.cleanup()


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def packages() -> str:
    """The folder with NumPy."""
    return str(Path(np.__file__).parents[1])


def shown() -> dict[str, str]:
    """The folders of the system that Python needs, outermost first."""
    paths = {*SYSTEM, *PREFIXES, packages()}
    inner = [path for path in sorted(paths) if os.path.exists(path)]
    return {
        path: path
        for path in inner
        if not any(
            path != one and path.startswith(one + "/") and not os.path.islink(one) for one in inner
        )
    }


def environment(home) -> dict[str, str]:
    # Packages that a user has installed for himself are not where Python looks by itself.
    own = not packages().startswith(tuple(f"{prefix}/" for prefix in PREFIXES))
    return {
        **({"PYTHONPATH": packages()} if own else {}),
        "HOME": str(home),
        "TMPDIR": str(home),
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Candidate:
    """What the checks are given for the student's class or function; it survives its process.

    A check may derive a class from it.
    """

    def __init__(self, session: Session):
        self._session = session
        self.__name__ = self.__qualname__ = session.provides

    def __call__(self, *args, **kwargs):
        return self._session.candidate()(*args, **kwargs)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._session.candidate(), name)

    def __mro_entries__(self, bases):
        def __init__(layer, *args, **kwargs):
            layer.theirs = self(*args, **kwargs)

        return (type(self.__name__, (_Derived,), {"__init__": __init__}),)


class _Derived(Layer):
    """A layer that leaves all to one of a submission."""

    @property
    def params(self):
        return self.theirs.params

    @params.setter
    def params(self, params):
        self.theirs.params = params

    @property
    def input_grad(self):
        return self.theirs.input_grad

    def forward(self, x, rng=None):
        return self.theirs.forward(x, rng)

    def backward(self, dy, cache):
        return self.theirs.backward(dy, cache)
