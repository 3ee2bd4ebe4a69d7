"""Marking: what each kind of submission earns, and that none reaches further than itself."""

import dataclasses
import hashlib
import io
import json
import socket
import subprocess
import sys
from pathlib import Path

import hostile
import numpy as np
import pytest

from minialexnet.exercise import EXERCISES, homework
from minialexnet.exercise.grading import hollow, mark, protection
from minialexnet.exercise.grading.session import Limits

QUICK = Limits(seconds=2, whole=8, late=2, processor=20, memory=1024)


@pytest.fixture(scope="module")
def guard():
    return protection.found(QUICK)


@pytest.fixture(scope="module")
def walled(guard):
    if not guard.walled:
        pytest.skip("this system lets nobody make namespaces, so there are no walls to test")
    return guard


@pytest.fixture(scope="module")
def relu():
    made = homework.homework("HW1", ["relu"], {}, 5)
    return dataclasses.replace(made, limits=QUICK)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    hollow.write(folder, EXERCISES["relu"])
    return folder


@pytest.fixture
def marked(relu, library, guard, tmp_path):
    """Marks what a student hands in: {file: text}."""

    def marked(files):
        for name, text in ({"relu.py": files} if isinstance(files, str) else files).items():
            (tmp_path / "ada").mkdir(exist_ok=True)
            content = text.encode() if isinstance(text, str) else text
            (tmp_path / "ada" / name).write_bytes(content)
        return mark.marks(tmp_path / "ada", relu, {"relu": str(library)}, guard)

    return marked


def failed(one) -> set[str]:
    """The names of the checks that were not passed."""
    return {check["check"] for check in one["exercises"]["relu"]["checks"] if check["message"]}


def earned(one) -> float:
    return one["exercises"]["relu"]["earned"]


def state(folder: Path) -> dict[str, str]:
    """Every file in a folder, by its checksum, with its mode."""
    return {
        str(path.relative_to(folder)): f"{path.lstat().st_mode} "
        + (hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
        for path in sorted(folder.rglob("*"))
    }


def running() -> list[str]:
    """The commands of this machine's processes that a hostile submission has left."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "MARKER" in words or "child.py" in words or "cage.py" in words:
            found.append(words)
    return found


def test_right_and_wrong_answers_earn_what_their_checks_are_worth(marked):
    assert earned(marked(hostile.GOOD)) == 12
    wrong = marked(hostile.WRONG)
    assert 3 <= earned(wrong) <= 9
    assert "gradients" in failed(wrong)
    blank = marked(EXERCISES["relu"].stub)
    assert earned(blank) == 0
    assert blank["exercises"]["relu"]["file"] is None


@pytest.mark.long
@pytest.mark.parametrize("name", hostile.SUBMISSIONS)
def test_a_hostile_submission_earns_what_it_would_without_its_tricks(
    name, marked, walled, tmp_path
):
    text, as_good_as, noted = hostile.SUBMISSIONS[name]
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "MARKER").write_text("untouched")
    before = state(tmp_path / "outside")
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        text = text.replace("PLACE", str(tmp_path / "outside"))
        one = marked(text.replace("PORT", str(server.getsockname()[1])))
        with pytest.raises(TimeoutError):
            heard.append(server.accept())
    got = earned(one)
    noise = 4
    fits = {
        "GOOD": got == 12,
        "NOISE": 0 < got <= noise,
        "less than NOISE": got <= noise,
        "less than GOOD": got < 12,
        "part": 0 < got < 12,
        "nothing": got == 0,
    }
    assert fits[as_good_as], (got, one)
    assert bool(one["exercises"]["relu"]["attempts"]) == noted, one
    assert state(tmp_path / "outside") == before
    assert not heard
    assert running() == []


@pytest.mark.parametrize(
    "name", ["leaves_in_forward", "never_ends", "leaves_others_behind", "patches_the_checks"]
)
def test_without_walls_marks_are_the_same_and_processes_are_stopped(name, relu, library, tmp_path):
    # Only what harms nobody: without walls a submission may delete what its user may.
    text, as_good_as, _ = hostile.SUBMISSIONS[name]
    (tmp_path / "relu.py").write_text(text)
    plain = protection.Protection(walled=False)
    script = (
        "import sys, json, pathlib\n"
        "from multiprocessing import Pipe\n"
        "sys.path[:0] = sys.argv[1].split(':')\n"
        "from minialexnet.exercise import homework\n"
        "from minialexnet.exercise.grading import mark, protection\n"
        "ours, theirs = Pipe(duplex=False)\n"
        "work = homework.load(pathlib.Path(sys.argv[2]))\n"
        "mark.work(theirs, pathlib.Path(sys.argv[3]), work, {'relu': sys.argv[4]},"
        " protection.Protection(False))\n"
        "print(ours.recv_bytes().decode())\n"
    )
    (tmp_path / "homework.json").write_text(relu.json())
    # In a process of its own, for it becomes the parent of whatever loses its own.
    done = subprocess.run(
        [sys.executable, "-c", script, ":".join(sys.path), tmp_path / "homework.json",
         tmp_path / "relu.py", library],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    got = earned(json.loads(done.stdout))
    assert {"GOOD": got == 12, "NOISE": 0 < got <= 4, "part": 0 < got < 12}[as_good_as]
    assert running() == []
    assert any("could reach" in line for line in plain.told()[1])


def test_the_library_that_a_submission_sees_lacks_the_answer_alone(tmp_path):
    for name, one in EXERCISES.items():
        folder = tmp_path / name
        folder.mkdir()
        hollow.write(folder, one)
        script = (
            f"import sys; sys.path.insert(0, {str(folder)!r})\n"
            "import minialexnet.networks, minialexnet.optim, minialexnet.loss, minialexnet.strict\n"
            f"import minialexnet; assert minialexnet.__file__.startswith({str(folder)!r})\n"
            f"exec({one.stub!r})\n"
            "from minialexnet.exercise import check; assert check('x', None) == 0.0\n"
        )
        done = subprocess.run([sys.executable, "-Ic", script], capture_output=True, text=True)
        assert not done.returncode, done.stderr
        home = folder.joinpath(*one.source.module.split(".")).with_suffix(".py").read_text()
        assert "is not there when this exercise is marked" in home
        assert not (folder / "minialexnet" / "exercise" / "tasks").exists()


def test_what_no_seed_was_given_for_is_the_same_in_each_run(marked):
    text = hostile.GOOD.replace(
        "return dy * cache, {}", "raise ValueError(np.random.default_rng().random())"
    )
    first, again = marked(text), marked(text)
    assert first == again
    assert "ValueError: 0." in str(first)


def test_a_message_tells_what_was_raised_and_where(marked):
    one = marked(hostile.in_forward("self.nothing"))
    message = one["exercises"]["relu"]["checks"][0]["message"]
    assert "AttributeError" in message and "(line 8 of relu.py)" in message


def test_an_answer_that_waits_longer_than_it_may_work_costs_nothing(marked):
    slow = f"time.sleep({QUICK.seconds + 1}) if x.ndim == 2 and not os.path.exists('x') else 0"
    once = "open('x', 'w').close() if x.ndim == 2 else 0"
    one = marked("import os, time\n" + hostile.in_forward(f"{slow}; {once}"))
    assert earned(one) == 12
    assert one["exercises"]["relu"]["remarks"] == []


def test_addresses_are_left_out_of_messages(marked):
    one = marked(hostile.in_forward("raise ValueError(object())"))
    assert "0x..." in one["exercises"]["relu"]["checks"][0]["message"]


def test_a_file_beside_the_answer_can_be_imported_and_read(marked):
    data = io.BytesIO()
    np.save(data, 3)
    files = {
        "relu.py": "from helper import masked\n"
        + hostile.GOOD.replace("x * mask, mask", "masked(x, mask), mask"),
        "helper.py": "import numpy as np\nassert np.load('data.npy') == 3\n"
        "def masked(x, mask):\n    return x * mask\n",
        "data.npy": data.getvalue(),
    }
    assert earned(marked(files)) == 12


def test_a_statement_that_fails_costs_no_other(marked):
    one = marked("import nothing_of_that_name\n1 / 0\n" + hostile.GOOD + "\nassert False\n")
    assert earned(one) == 12
    assert one["exercises"]["relu"]["remarks"] == [
        "relu.py, line 1: ModuleNotFoundError: No module named 'nothing_of_that_name'",
        "relu.py, line 2: ZeroDivisionError: division by zero",
        "relu.py, line 16: AssertionError",
    ]


def test_a_process_that_does_not_start_is_not_held_against_the_student(relu, library, tmp_path):
    (tmp_path / "relu.py").write_text(hostile.GOOD)
    nowhere = {"relu": str(tmp_path / "no such library")}
    with pytest.raises(OSError, match="no process could be started"):
        mark.marks(tmp_path / "relu.py", relu, nowhere, protection.Protection(walled=False))
