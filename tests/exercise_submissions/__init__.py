"""Answers to the exercises, right and wrong, one file an exercise.

The wrong ones have one mistake each, drawn from what students get wrong. `points_at` is what the
message must say for it to point at the mistake; None where no message is expected to.
"""

from dataclasses import dataclass, field
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


def all_submissions() -> dict[str, Submissions]:
    return {name: submissions(name) for name in exercise.names()}
