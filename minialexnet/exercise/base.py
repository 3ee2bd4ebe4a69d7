"""What an exercise is, and what comes of checking an answer to it."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from minialexnet.exercise.source import Source, stripped

# What holds in every exercise, and is said in every student's file.
RULES = """Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.
"""


class Failed(Exception):
    """An answer did not pass a check. The message says what was found, where, and the likely slip.

    Parameters
    ----------
    message : one line with the array, the index and both values
    likely : what the mistake probably is, where that could be found out
    """

    def __init__(self, message: str, likely: str | None = None):
        super().__init__(message if likely is None else f"{message}\nlikely: {likely}")
        self.likely = likely


@dataclass(frozen=True)
class Check:
    """One thing that must be true of an answer.

    Parameters
    ----------
    name : short, such as "odd shapes"
    points : its weight; 0 for a remark that costs nothing
    run : run(candidate, rng) returns nothing if all is well and raises `Failed` if it is not; rng
        decides shapes and numbers. Whatever the candidate raises may come through.
    """

    name: str
    points: int
    run: Callable[[Any, Any], None]


@dataclass(frozen=True)
class Result:
    """What came of one check: the share of its points that was earned, and why not all of it."""

    check: str
    points: int
    earned: float
    message: str


@dataclass(frozen=True)
class Exercise:
    """Something to write, and all that goes with it.

    Parameters
    ----------
    name, title : "relu" and "The rectified linear unit"
    provides : the name that the answer must have, such as "ReLU"
    minutes : about how long it takes a student who has heard the lecture
    task : what is asked, Markdown
    source : where in the library the answer stands
    definition : the naive definition that answers are compared with, a function of plain loops
    hints : three, each giving away more than the one before
    checks : what an answer must pass
    rules : what holds besides
    """

    name: str
    title: str
    provides: str
    minutes: int
    task: str
    source: Source
    definition: Callable
    hints: tuple[str, str, str]
    checks: tuple[Check, ...]
    rules: str = RULES

    @cached_property
    def answer(self) -> str:
        """The instructor's file: the library's own code, the solution between nbgrader's marks."""
        return self.source.text(self._heading())

    @cached_property
    def stub(self) -> str:
        """The student's file: the same without the solution."""
        return stripped(self.answer)

    @cached_property
    def naive(self) -> str:
        """The source of the naive definition."""
        return inspect.getsource(self.definition)

    def _heading(self) -> str:
        return (
            f"{self.title}.\n\n{self.task.strip()}\n\n{self.rules}\n"
            f"    from minialexnet import exercise\n"
            f'    exercise.check("{self.name}", {self.provides})\n'
            f'    exercise.hint("{self.name}")\n'
        )
