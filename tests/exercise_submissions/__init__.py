"""Answers to the exercises, right and wrong, one file an exercise.

The wrong ones have one mistake each, drawn from what students get wrong. `points_at` is what the
message must say for it to point at the mistake; None where no message is expected to.
"""

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from minialexnet import exercise


@dataclass(frozen=True)
class Submission:
    answer: Any
    points_at: str | None = None

    @property
    def name(self) -> str:
        return self.answer.__name__


@dataclass
class Submissions:
    """The answers to one exercise."""

    right: list[Submission] = field(default_factory=list)
    wrong: list[Submission] = field(default_factory=list)

    def correct(self, answer):
        self.right.append(Submission(answer))
        return answer

    def mistake(self, points_at: str | None = None):
        def add(answer):
            self.wrong.append(Submission(answer, points_at))
            return answer

        return add


def submissions(name: str) -> Submissions:
    """Those to the exercise of that name."""
    return import_module(f"exercise_submissions.{name}").HERE


def points(submission: Submission, found) -> bool:
    """Whether a message of a failed check points at the mistake."""
    said = " ".join(result.message for result in found if result.message)
    return submission.points_at is not None and submission.points_at in " ".join(said.split())


# Numbers that a student sees, and two sets that nobody does.
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Judged:
    """What the checks say of one answer, over all seeds."""

    submission: Submission
    full: list[bool]
    pointed: bool
    said: str


@cache
def judged(name: str) -> tuple[list[Judged], list[Judged]]:
    """The right and the wrong answers to an exercise, judged."""
    here = submissions(name)
    return [_judged(name, one) for one in here.right], [_judged(name, one) for one in here.wrong]


def _judged(name: str, submission: Submission) -> Judged:
    found = [exercise.results(name, submission.answer, seed) for seed in SEEDS]
    full = [all(one.earned == one.points for one in results) for results in found]
    lost = [[one for one in results if one.points and one.message] for results in found]
    pointed = all(points(submission, results) for results in lost)
    return Judged(submission, full, pointed, exercise.report(lost[0]))
