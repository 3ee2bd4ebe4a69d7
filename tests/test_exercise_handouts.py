"""The folder of exercises is what the library makes of it today."""

import importlib.util
from pathlib import Path

import pytest

from minialexnet import exercise

# The table is made anew from all answers.
pytestmark = pytest.mark.long

FOLDER = Path(__file__).parent.parent / "lessons" / "exercises"


@pytest.fixture(scope="module")
def generated():
    spec = importlib.util.spec_from_file_location("generate", FOLDER / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.files()


def test_the_files_are_up_to_date(generated):
    """If not: python lessons/exercises/generate.py"""
    for name, text in generated.items():
        assert (FOLDER / name).read_text() == text, name


def test_there_is_one_a_exercise_and_no_other(generated):
    assert {path.name for path in FOLDER.iterdir() if path.is_file()} == {
        *generated,
        "generate.py",
    }
    assert len(generated) == len(exercise.names()) + 1
