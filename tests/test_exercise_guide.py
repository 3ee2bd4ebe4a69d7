"""Every command in the instructors' guide works as it stands there."""

import re
import shlex
from pathlib import Path

import pytest

from minialexnet.__main__ import main, parser
from minialexnet.exercise import EXERCISES

GUIDE = Path(__file__).parents[1] / "lessons" / "INSTRUCTORS.md"
TEXT = GUIDE.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (minialexnet .*|nbgrader .*|pip .*)$", TEXT, re.MULTILINE)


def test_the_guide_has_commands():
    assert len(COMMANDS) > 12


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("minialexnet")])
def test_a_command_of_the_guide_is_understood(command):
    parser().parse_args(shlex.split(command)[1:])


def test_the_homeworks_of_the_guide_are_made_and_marked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for command in COMMANDS:
        words = shlex.split(command)
        if words[:3] == ["minialexnet", "exercise", "new"] and not Path(words[3]).exists():
            assert main(words[1:]) == 0, command
    Path("submissions").mkdir()
    Path("HW1/instructor/solutions").rename("submissions/ada")
    Path("HW1/student").rename("submissions/bob")
    (grade,) = [one for one in COMMANDS if one.startswith("minialexnet exercise grade")]
    assert main(shlex.split(grade)[1:]) == 0
    rows = Path("grades.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in rows] == ["student", "ada", "bob"]
    assert rows[1].split(",")[3] == rows[1].split(",")[4] + ".00"
    assert rows[2].split(",")[3] == "0.00"


def test_the_guide_names_every_exercise_and_its_minutes():
    weeks = re.findall(r"^\| \d \|.*\| `([\w,]+)` \| (\d+) min \|$", TEXT, re.MULTILINE)
    assert len(weeks) == 6
    named = [name for names, _ in weeks for name in names.split(",")]
    assert sorted(named) == sorted(EXERCISES)
    for names, minutes in weeks:
        assert sum(EXERCISES[name].minutes for name in names.split(",")) == int(minutes)


def test_what_the_guide_points_at_is_there():
    for path in re.findall(r"`(minialexnet/[\w/.]+)`", TEXT):
        assert (GUIDE.parents[1] / path).exists(), path
