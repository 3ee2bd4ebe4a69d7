"""Writes the students' files of this folder, and its README with the table of how checks fare.

    python lessons/exercises/generate.py

The files are cut out of the library's own source; the table comes from the right and wrong answers
in tests/exercise_submissions. Whoever changes a layer, an exercise or an answer runs it again: a
test compares.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER.parent.parent / "tests"), str(FOLDER.parent.parent)]

from exercise_submissions import judged  # noqa: E402

from minialexnet import exercise  # noqa: E402

README = """# Exercises

Thirteen parts of AlexNet to write, in the order of the lectures. Each is by itself: your layer is
put into a network whose other layers are the library's. Take a file, write what is missing, and
have it checked as often as you like:

```py
from minialexnet import exercise

exercise.check("relu", ReLU)  # a line a check, and what to look at where one fails
exercise.hint("relu", 1)  # the first of three hints
print(exercise.EXERCISES["relu"].naive)  # the definition in plain loops that you are compared with
```

or from the command line, in the folder of the project:

```sh
pytest -m exercise_relu --student=lessons/exercises/03_relu.py
```

And the reward: train a real network with your own layers, on a CPU or (if you wrote `xp`, not `np`)
on a GPU. Classes of the file that have the name of a library layer take its place everywhere.

```sh
minialexnet train --layers lessons/exercises/03_relu.py
```

## The exercises, and how far their checks can be trusted

Every check is held against answers that are wrong in the ways that answers are wrong (transposed,
off by one, forgotten bias, right for square pictures only, 0.1 % too large ...) and against right
ones in other styles than the library's (loops, einsum, another formula), with the numbers that
students see and with two sets that they do not. *Refused* counts wrong answers that lose marks
each time, *accepted* right ones that lose none, *pointed at* wrong ones of which a message names
the mistake each time. `python lessons/exercises/generate.py` writes this table; the answers are in
`tests/exercise_submissions/`.

{table}

The line "on an accelerator" costs no marks. It tries the answer on a make-believe GPU
(`minialexnet/strict.py`), which has the array functions that the library uses and no others.
"""


def file_name(number: int, name: str) -> str:
    return f"{number:02d}_{name}.py"


def stubs() -> dict[str, str]:
    """The text of every student's file, by name."""
    return {
        file_name(number, name): one.stub
        for number, (name, one) in enumerate(exercise.EXERCISES.items(), 1)
    }


def files() -> dict[str, str]:
    """The text of every generated file of this folder, by name."""
    return stubs() | {"README.md": README.format(table=table())}


def table() -> str:
    """A line an exercise: what it is, and how its checks judge right and wrong answers."""
    lines = [
        "| file | exercise | minutes | points | wrong refused | right accepted | pointed at |",
        "|---|---|---|---|---|---|---|",
    ]
    total = [0] * 6
    for number, (name, one) in enumerate(exercise.EXERCISES.items(), 1):
        right, wrong = judged(name)
        counts = [
            sum(not any(answer.full) for answer in wrong),
            len(wrong),
            sum(all(answer.full) for answer in right),
            len(right),
            sum(answer.pointed for answer in wrong),
            len(wrong),
        ]
        total = [sum(pair) for pair in zip(total, counts, strict=True)]
        file = file_name(number, name)
        points = sum(check.points for check in one.checks)
        lines.append(
            f"| [{file}]({file}) | {one.title} | {one.minutes} | {points} | {_of(counts)} |"
        )
    minutes = sum(one.minutes for one in exercise.EXERCISES.values())
    lines.append(f"| | together | {minutes} | | {_of(total)} |")
    return "\n".join(lines)


def _of(counts: list[int]) -> str:
    return " | ".join(f"{counts[i]}/{counts[i + 1]}" for i in (0, 2, 4))


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text)
