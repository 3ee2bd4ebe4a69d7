"""Exercises: write a part of AlexNet yourself, and have it checked.

::

    from minialexnet import exercise

    exercise.names()                          what there is to write
    print(exercise.EXERCISES["relu"].stub)    where to begin
    exercise.check("relu", ReLU)              a line a check, and what to look at where one fails
    exercise.hint("relu", 2)                  the second of three hints
"""

from minialexnet.exercise.base import Check, Exercise, Failed, Result
from minialexnet.exercise.catalogue import EXERCISES, names
from minialexnet.exercise.marks import check, hint, report, results

__all__ = [
    "EXERCISES",
    "Check",
    "Exercise",
    "Failed",
    "Result",
    "check",
    "hint",
    "names",
    "report",
    "results",
]
