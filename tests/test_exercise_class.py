"""A class marked from the command line: right, side by side, twice the same, and harmless."""

import csv
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import a_class
import hostile
import pytest
from test_exercise_grading import running, state

from minialexnet.__main__ import main
from minialexnet.exercise.grading import protection
from minialexnet.exercise.grading.session import Limits


def homework(folder: Path, seconds: float):
    options = ["--layers", "linear,relu", "--points", "linear=10", "relu=10", "--seed", "5"]
    assert main(["exercise", "new", "HW1", "--out", str(folder), *options]) == 0
    file = folder / "instructor" / "homework.json"
    made = json.loads(file.read_text())
    made["limits"] |= {"seconds": seconds, "whole": 8 * seconds, "memory": 1024, "processor": 30}
    file.write_text(json.dumps(made))


def marked(place: Path, number: int):
    """The CSV's bytes, the feedback's state, and the CSV's rows by student."""
    out, feedback = place / f"grades{number}.csv", place / f"feedback{number}"
    words = ["exercise", "grade", place / "HW1", place / "in", "--out", out]
    words += ["--feedback", feedback, "--processes", "2"]
    assert main([*map(str, words)]) == 0
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(out.read_text()))}
    return out.read_bytes(), state(feedback), rows


def expect(rows, kinds):
    assert list(rows) == sorted(kinds)
    for student, (_, points) in kinds.items():
        total = float(rows[student]["total"])
        assert 0 <= total <= 20
        if points is not None:
            assert total == points, student
        elif student.startswith("hostile"):
            assert float(rows[student]["linear"]) == 10
            assert float(rows[student]["relu"]) < 10
        else:
            assert 0 < total < 20, student


@pytest.mark.long
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_grader_that_is_stopped_leaves_no_process_and_no_table(how, tmp_path):
    homework(tmp_path / "HW1", seconds=100)
    text = hostile.GOOD + "\nimport time\ntime.sleep(10**4)\n"
    a_class.write(tmp_path / "in", {name: ({"relu.py": text}, 0) for name in ("ada", "bob")})
    words = ["exercise", "grade", tmp_path / "HW1", tmp_path / "in", "--out", tmp_path / "x.csv"]
    grader = subprocess.Popen(
        [sys.executable, "-c", "import signal, sys\n"
         "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
         f"sys.path[:0] = {sys.path!r}\n"
         "from minialexnet.__main__ import main; sys.exit(main(sys.argv[1:]))", *words],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while sum("child.py" in words for words in running()) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    time.sleep(1)
    grader.send_signal(how)
    said, errors = grader.communicate(timeout=30)
    assert said == ""
    if how == signal.SIGINT:
        assert grader.returncode == 130
        assert errors == "minialexnet: interrupted\n"
    while running() and time.monotonic() < end:
        time.sleep(0.1)
    assert running() == []
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.long
def test_a_class_of_200_is_marked_twice_alike_and_nothing_else_is_touched(tmp_path, capsys):
    if not protection.found(Limits()).walled:
        pytest.skip("without walls hostile submissions may harm this machine")
    templates = a_class.templates()
    honest = {kind: what for kind, what in templates.items() if not kind.startswith("hostile")}
    kinds = dict(templates)
    number = 0
    while len(kinds) < 200:
        for kind, what in honest.items():
            if len(kinds) < 200:
                kinds[f"{kind}_{number}"] = what
        number += 1
    homework(tmp_path / "HW1", seconds=5)
    a_class.write(tmp_path / "in", kinds)
    before = state(tmp_path)
    capsys.readouterr()
    start = time.monotonic()
    first = marked(tmp_path, 1)
    seconds = time.monotonic() - start
    said, errors = capsys.readouterr()
    assert errors == ""
    expect(first[2], kinds)
    assert int(first[2]["hostile_imports_the_answer"]["attempts"]) > 0
    assert int(first[2]["good"]["attempts"]) == 0
    for words in ("200 students", "failed most", "own answer", "no network", "nothing that this"):
        assert words in said
    page = (tmp_path / "feedback1" / "half_right.md").read_text()
    assert "gradients" in page and "**failed**" in page
    assert "<pre>" in (tmp_path / "feedback1" / "half_right.html").read_text()
    assert marked(tmp_path, 2)[:2] == first[:2]
    after = state(tmp_path)
    assert {path: after[path] for path in before} == before
    assert running() == []
    capsys.readouterr()
    print(f"{len(kinds)} students ({len(templates) - len(honest)} hostile): {seconds:.0f} s")
