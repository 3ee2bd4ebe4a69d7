"""The folder of exercises is what the library makes of it today."""

import importlib.util
from pathlib import Path

import pytest

from minialexnet import exercise

FOLDER = Path(__file__).parent.parent / "lessons" / "exercises"


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_students_files_are_up_to_date(generate):
    """If not: python lessons/exercises/generate.py"""
    for name, text in generate.stubs().items():
        assert (FOLDER / name).read_text() == text, name


# The table is made anew from all answers.
@pytest.mark.long
def test_the_table_is_up_to_date(generate):
    """If not: python lessons/exercises/generate.py"""
    assert (FOLDER / "README.md").read_text() == generate.files()["README.md"]


def test_there_is_one_an_exercise_and_no_other(generate):
    stubs = generate.stubs()
    others = {"generate.py", "README.md"}
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {*stubs, *others}
    assert len(stubs) == len(exercise.names())
