"""Exercises as Jupyter notebooks, with what nbgrader needs to mark them (its schema 3).

nbgrader gives a test cell the number that its last line returns. It wants a Python float, and takes
anything on stderr for a failure; `exercise.check` is made for that.
"""

import json
import re

from minialexnet.exercise import EXERCISES
from minialexnet.exercise.source import BEGIN, stripped

# The line with which the part of one exercise begins, where several are in one file.
MARK = r"^# exercise: (\w+)\s*$"
# The share of the points that students can see for themselves.
VISIBLE = 0.5
CONFIG = '''"""For nbgrader. Run it in this folder: nbgrader generate_assignment NAME."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "minialexnet"
# Without it a right answer whose test cell was lost gets no points, and nobody is told.
c.OverwriteCells.add_missing_cells = True
# Seconds a cell; a check of a slow but right answer takes some.
c.Execute.timeout = 120
'''


def instructor(parts: dict) -> str:
    """The notebook with solutions and hidden checks, from which nbgrader makes the students'.

    Parameters
    ----------
    parts : {exercise: `homework.Part`}
    """
    return _text(_cells(parts))


def student(parts: dict) -> str:
    """The notebook to hand out: what nbgrader generate_assignment makes of the other."""
    cells = []
    for cell in _cells(parts):
        text = "".join(cell["source"])
        hidden = r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS\n?"
        text = re.sub(hidden, "", text, flags=re.DOTALL)
        if BEGIN in text:
            text = stripped(text).rstrip("\n")
        cells.append({**cell, "source": text.splitlines(True)})
    return _text(cells)


def _cells(parts) -> list[dict]:
    cells = [_code("setup", "from minialexnet import exercise", locked=True)]
    for name, part in parts.items():
        one = EXERCISES[name]
        visible = round(part.points * VISIBLE, 2)
        hidden = round(part.points - visible, 2)
        seed = part.seeds[0]
        task = f"## {one.title} (`{name}`)\n\n{one.task.strip()}\n\nAbout {one.minutes} minutes."
        cells += [
            _cell("markdown", f"{name}-task", task, locked=True),
            _code(f"{name}-solution", one.answer.strip(), solution=True),
            _code(None, f'exercise.hint("{name}", 1)  # then 2, then 3'),
            _code(
                f"{name}-check",
                f'exercise.check("{name}", {one.provides}, points={visible!r})',
                grade=True,
                locked=True,
                points=visible,
            ),
            _code(
                f"{name}-hidden",
                "# The same checks with other numbers.\n### BEGIN HIDDEN TESTS\n"
                f'exercise.check("{name}", {one.provides}, points={hidden!r}, seed={seed})\n'
                "### END HIDDEN TESTS",
                grade=True,
                locked=True,
                points=hidden,
            ),
        ]
    return cells


def _code(grade_id, text, **about) -> dict:
    cell = _cell("code", grade_id, text, **about)
    return {**cell, "execution_count": None, "outputs": []}


def _cell(kind, grade_id, text, grade=False, solution=False, locked=False, points=None) -> dict:
    metadata = {}
    if grade_id is not None:
        metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": grade_id,
            "grade": grade,
            "solution": solution,
            "locked": locked,
            "task": False,
        }
        if grade:
            metadata["nbgrader"]["points"] = points
        if locked:
            metadata |= {"deletable": False, "editable": False}
    # Jupyter wants a name for each cell, of letters, digits, - and _.
    number = grade_id or f"hint-{abs(hash_of(text)):08x}"
    return {
        "cell_type": kind,
        "id": number[:64],
        "metadata": metadata,
        "source": text.splitlines(True),
    }


def hash_of(text: str) -> int:
    """A number for a text, the same in every run."""
    number = 0
    for letter in text.encode():
        number = (number * 31 + letter) % 2**32
    return number


def _text(cells) -> str:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
