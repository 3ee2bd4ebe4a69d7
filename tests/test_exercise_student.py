"""A student's file, check by check: pytest -m exercise_relu --student=my_layers.py

Without --student the library's own answers are checked.
"""

import configparser
from pathlib import Path

import pytest

from minialexnet import exercise
from minialexnet.own import definitions

CASES = [
    pytest.param(
        name, number, id=f"{name}-{check.name}", marks=getattr(pytest.mark, f"exercise_{name}")
    )
    for name, one in exercise.EXERCISES.items()
    for number, check in enumerate(one.checks)
]


@pytest.fixture(scope="session")
def student(request):
    """What the student's file defines, by name; None without one."""
    path = request.config.getoption("--student")
    return None if path is None else definitions(Path(path))


@pytest.mark.parametrize(("name", "number"), CASES)
def test_exercise(name, number, student):
    one = exercise.EXERCISES[name]
    words = student
    if student is None:
        words = {}
        exec(one.answer, words)
    if one.provides not in words:
        pytest.skip(f"the file defines no {one.provides}")
    found = exercise.results(name, words[one.provides])[number]
    if found.message and not found.points:
        pytest.skip(f"a remark, which costs nothing: {found.message}")
    if found.message:
        pytest.fail(found.message, pytrace=False)


def test_every_exercise_has_its_marker():
    config = configparser.ConfigParser()
    config.read(Path(__file__).parent.parent / "setup.cfg")
    declared = config["tool:pytest"]["markers"]
    assert all(f"exercise_{name}:" in declared for name in exercise.names())
