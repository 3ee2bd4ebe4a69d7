"""Marks through the wall are those that students see without it, for every fifth known answer."""

import inspect

import pytest
from exercise_submissions import submissions

from minialexnet.exercise import EXERCISES, results
from minialexnet.exercise.grading import hollow, protection
from minialexnet.exercise.grading.session import Candidate, Limits, Session
from minialexnet.exercise.grading.submission import Source

MARKS = """
class Submissions:
    def correct(self, answer):
        return answer
    def mistake(self, points_at=None):
        return lambda answer: answer
"""

# All of them take ten minutes.
EVERY = 5


def _written(answer) -> bool:
    return hasattr(inspect.getmodule(answer), answer.__name__)


def _some():
    known = [(name, submissions(name)) for name in EXERCISES]
    every = [(name, one) for name, some in known for one in (*some.right, *some.wrong)]
    # Some are made from others, and have no text of their own to hand in.
    for name, one in [each for each in every if _written(each[1].answer)][::EVERY]:
        yield pytest.param(name, one.answer, id=f"{name}-{one.name}")


@pytest.fixture(scope="module")
def whole_library(tmp_path_factory):
    """With its answers, for some wrong answers are made from them."""
    folder = tmp_path_factory.mktemp("library")
    hollow.write(folder)
    return folder


@pytest.fixture(scope="module")
def guard():
    return protection.found(Limits())


@pytest.mark.long
@pytest.mark.parametrize(("name", "answer"), list(_some()))
def test_a_submission_is_told_the_same_at_both_sides_of_the_wall(
    name, answer, whole_library, guard
):
    text = inspect.getsource(inspect.getmodule(answer))
    cells = (("marks", MARKS), ("file", text.replace("from exercise_submissions import Sub", "# ")))
    source = Source("file", cells)
    near = results(name, answer, 77)
    with Session(source, answer.__name__, whole_library, guard, Limits()) as session:
        far = results(name, Candidate(session), 77)
    assert [(one.check, one.earned) for one in far] == [(one.check, one.earned) for one in near]
    for here, there in zip(near, far, strict=True):
        # What was raised is told with another place.
        if here.message and "in line" not in here.message:
            assert there.message == here.message
