"""Killed at any moment, the preparation of ImageNet goes on to the same bytes."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from tiny_imagenet import Drawn, drawn, made

from minialexnet.__main__ import main
from minialexnet.data import draft, preparation, writing
from minialexnet.data.imagenet import archives, imagenet_source
from minialexnet.data.preparation import prepare

if not Path("/proc/self/environ").exists():
    pytest.skip("processes are looked for in /proc", allow_module_level=True)

pytestmark = pytest.mark.usefixtures("at_once")
SIZE = 16
# Runs a command that notes all it has done, and that may kill itself in the middle.
LAUNCHER = textwrap.dedent(
    """
    import os, signal, sys, time
    from minialexnet import files
    from minialexnet.__main__ import main
    from minialexnet.data import draft, preparation, writing
    from minialexnet.data.imagenet import archives

    if slow := float(os.environ["SLOW"]):
        fast = preparation.decoded
        preparation.decoded = lambda *given: time.sleep(slow) or fast(*given)

    if __name__ == "__main__":
        # Who starts the tests in the background may have had Ctrl-C ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # No power fails here: nothing has to be waited for.
        os.fsync = lambda descriptor: None
        archives.JOB, preparation.SAVE = 32, 0.0
        steps, wait_for, synced = 0, int(os.environ["STEP"]), files.synced

        def counted(path):
            global steps
            steps += 1
            if steps == wait_for:
                os.kill(os.getpid(), signal.SIGKILL)
            synced(path)

        files.synced = draft.synced = writing.synced = counted
        code = main(sys.argv[1:])
        print(steps)
        sys.exit(code)
    """
)


class Launched:
    """A preparation in a process of its own, and in those that it starts."""

    def __init__(self, folder, src, step=0, slow=0.0):
        self.folder, self.mark = folder, f"MARK={folder}"
        script = folder / "launch.py"
        script.write_text(LAUNCHER)
        words = ["prepare", "imagenet", src, folder / "out", "--size", SIZE, "--processes", 2]
        self.process = subprocess.Popen(
            [sys.executable, str(script), *map(str, words)],
            env=os.environ | {"MARK": str(folder), "STEP": str(step), "SLOW": str(slow)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for pid in self.alive():
            os.kill(pid, signal.SIGKILL)
        self.process.communicate()

    def alive(self) -> list[int]:
        """Of all its processes those that run."""
        mark, found = self.mark.encode(), []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
            except OSError:  # it has just ended, or is somebody else's
                continue
        return found

    def wait_for(self, path) -> None:
        until = time.monotonic() + 30
        while not path.exists():
            assert self.process.poll() is None and time.monotonic() < until
            time.sleep(0.002)

    def ended(self):
        """Exit code and what was said, once the process has ended, and its workers with it."""
        said, errors = self.process.communicate(timeout=60)
        until = time.monotonic() + 2
        while self.alive():
            assert time.monotonic() < until, "a worker has outlived it"
            time.sleep(0.01)
        return self.process.returncode, said, errors


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def src(tmp_path_factory):
    """An ImageNet of 600 pictures in archives."""
    return made(tmp_path_factory.mktemp("copy") / "src", "archives", *drawn(85, 15))


@pytest.fixture(scope="module")
def undisturbed(src, tmp_path_factory):
    """The files of a run that nobody disturbs, how many steps it takes, and how many seconds."""
    folder = tmp_path_factory.mktemp("undisturbed")
    started = time.monotonic()
    with Launched(folder, src) as run:
        code, said, errors = run.ended()
    assert (code, errors) == (0, "")
    assert sorted(path.name for path in folder.iterdir()) == ["launch.py", "out"]
    assert len(files(folder / "out")) == 8
    return files(folder / "out"), int(said.split()[-1]), time.monotonic() - started


def goes_on(folder, src, expected):
    """Let this process finish it, alone, and compare what there is in the end."""
    words = ["prepare", "imagenet", src, folder / "out", "--size", SIZE, "--processes", 1]
    assert main(list(map(str, words))) == 0
    assert files(folder / "out") == expected
    assert sorted(path.name for path in folder.iterdir()) == ["launch.py", "out"]


# ---------------------------------------------------------------- from outside


def test_the_number_of_processes_changes_nothing(src, undisturbed, tmp_path):
    prepare(imagenet_source(src), tmp_path / "out", SIZE, 1)
    assert files(tmp_path / "out") == undisturbed[0]


@pytest.mark.parametrize(
    "part", [*range(3), *(pytest.param(n, marks=pytest.mark.long) for n in range(3, 10))]
)
def test_killed_three_times_it_goes_on_to_the_same_bytes(part, src, undisturbed, tmp_path):
    """At a step of its own, a file or folder that is to reach the disk, and twice at any time."""
    expected, steps, seconds = undisturbed
    rng = np.random.default_rng(part)
    # The last steps are those in which the data set takes its place.
    last = steps - 2 * (9 - part)
    with Launched(tmp_path, src, last if part > 5 else int(rng.integers(1, steps))) as run:
        assert run.ended()[0] == -signal.SIGKILL
    for _ in range(2):
        with Launched(tmp_path, src) as run:
            time.sleep(seconds * rng.uniform(0, 0.9))
            run.process.kill()
            assert run.ended()[0] in (-signal.SIGKILL, 0)
    goes_on(tmp_path, src, expected)


def test_a_worker_that_is_killed_ends_it_in_a_line(src, undisturbed, tmp_path):
    with Launched(tmp_path, src, slow=0.004) as run:
        run.wait_for(tmp_path / "out.unfinished" / "ledger.npz")
        workers = [
            pid for pid in run.alive() if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        code, _, errors = run.ended()
    assert code == 2
    assert errors == (
        "minialexnet: error: a process that decodes pictures was killed, perhaps for want of "
        "memory; start again to go on from here, with fewer --processes if need be\n"
    )
    goes_on(tmp_path, src, undisturbed[0])


def test_ctrl_c_ends_it_in_a_line(src, undisturbed, tmp_path):
    with Launched(tmp_path, src, slow=0.004) as run:
        run.wait_for(tmp_path / "out.unfinished" / "ledger.npz")
        os.killpg(run.process.pid, signal.SIGINT)
        code, _, errors = run.ended()
    assert (code, errors) == (130, "minialexnet: interrupted\n")
    goes_on(tmp_path, src, undisturbed[0])


# ---------------------------------------------------------------- at every line

LINES = {module.__file__ for module in (draft, preparation, writing)} | {
    sys.modules["minialexnet.files"].__file__
}


def killed_at(line, run) -> list[int]:
    """What lines of LINES a process begins that does this and is killed at the one of that number.

    It is gone without a word, as after SIGKILL: nothing is flushed, no block is left.

    Returns
    -------
    a number for each line that was begun, the same for the same line
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        begun = []

        def trace(frame, event, _):
            if frame.f_code.co_filename not in LINES:
                return None
            if event == "line":
                begun.append(frame.f_code.co_firstlineno * 1000 + frame.f_lineno)
                if len(begun) > line:
                    os._exit(9)
            return trace

        try:
            sys.settrace(trace)
            run()
        except BaseException:
            os._exit(1)
        sys.settrace(None)
        os.write(write, np.array(begun, np.int32).tobytes())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as told:
        begun = np.frombuffer(told.read(), np.int32).tolist()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code == (0 if begun else 9)
    return begun


@pytest.fixture(scope="module")
def holes(tmp_path_factory):
    """A copy with broken pictures, and what becomes of it without them."""
    parts = drawn(6, 2, seed=1)
    for part, broken in zip(parts, ((0, 17, 34, 35), (1, 11)), strict=True):
        part.sort(key=lambda one: one.name)
        for n in broken:
            part[n] = Drawn(part[n].label, part[n].name, b"")
    folder = tmp_path_factory.mktemp("holes")
    src = made(folder / "src", "archives", *parts)
    prepare(imagenet_source(src), folder / "out", SIZE, 1, skip_broken=True)
    return imagenet_source(src), files(folder / "out")


forking = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def finished(source, folder, expected):
    prepare(source, folder / "out", SIZE, 1, skip_broken=True)
    assert files(folder / "out") == expected
    assert [path.name for path in folder.iterdir()] == ["out"]


@forking
@pytest.mark.long
def test_killed_at_any_line_of_the_end_it_goes_on_to_the_same_bytes(holes, tmp_path, monkeypatch):
    source, expected = holes
    with monkeypatch.context() as patch:
        patch.setattr(draft.Draft, "finish", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            prepare(source, tmp_path / "out", SIZE, 1, skip_broken=True)
    begun = tmp_path / "out.unfinished"
    folder = tmp_path / "here"

    def end():
        prepare(source, folder / "out", SIZE, 1, skip_broken=True)

    shutil.copytree(begun, folder / "out.unfinished")
    lines = killed_at(10**6, end)
    finished(source, folder, expected)
    # Each line once, where it is begun for the last time.
    steps = sorted({name: step for step, name in enumerate(lines)}.values())
    assert len(steps) > 150
    for step in steps:
        shutil.rmtree(folder)
        shutil.copytree(begun, folder / "out.unfinished")
        assert killed_at(step, end) == []
        finished(source, folder, expected)


@forking
@pytest.mark.long
def test_killed_at_any_line_it_goes_on_to_the_same_bytes(holes, tmp_path, monkeypatch):
    source, expected = holes
    monkeypatch.setattr(preparation, "SAVE", 0.0)
    monkeypatch.setattr(archives, "JOB", 5)
    folder = tmp_path / "here"

    def whole():
        prepare(source, folder / "out", SIZE, 1, skip_broken=True)

    folder.mkdir()
    lines = killed_at(10**6, whole)
    for step in np.random.default_rng(0).integers(0, len(lines), 40).tolist():
        shutil.rmtree(folder)
        folder.mkdir()
        assert killed_at(step, whole) == []
        finished(source, folder, expected)
