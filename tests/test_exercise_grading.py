"""Marking: what each kind of submission earns, and that none reaches further than itself."""

import dataclasses
import hashlib
import json
import os
import socket
import threading
from pathlib import Path

import hostile
import pytest

from minialexnet.__main__ import main
from minialexnet.exercise import EXERCISES, homework
from minialexnet.exercise.grading import grade, hollow, mark, protection, submission
from minialexnet.exercise.grading.session import Limits

QUICK = Limits(seconds=2, late=2, processor=20, memory=1024)


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


@pytest.mark.parametrize("name", hostile.SUBMISSIONS)
def test_a_hostile_submission_earns_what_it_would_without_its_tricks(name, marked, walled, tmp_path):
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
        "part": 0 < got < 12,
        "nothing": got == 0,
    }
    assert fits[as_good_as], (got, one)
    assert bool(one["exercises"]["relu"]["attempts"]) == noted, one
    assert state(tmp_path / "outside") == before
    assert not heard
    assert running() == []
