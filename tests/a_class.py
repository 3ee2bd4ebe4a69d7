"""A class of students: good, half right, blank, late, renamed and hostile, made from templates."""

import json

import hostile

from minialexnet.exercise import EXERCISES, notebook
from minialexnet.exercise.homework import Part

EXERCISES_OF_THE_CLASS = ("linear", "relu")
POINTS = {"linear": 10, "relu": 10}


def _notebook() -> str:
    parts = {name: Part(10, (0,)) for name in EXERCISES_OF_THE_CLASS}
    return notebook.instructor(parts)


def _lost_metadata() -> str:
    made = json.loads(_notebook())
    made["cells"] = [
        {**cell, "metadata": {}} for cell in made["cells"] if "check" not in cell["id"]
    ]
    return json.dumps(made)


def templates() -> dict[str, tuple[dict[str, str], float | None]]:
    """{kind: ({file: text}, the points out of 20, or None if they are not the point)}."""
    linear, relu = EXERCISES["linear"].answer, EXERCISES["relu"].answer
    half = linear.replace('{"weight": ', '{"weight": 2 * ')
    assert half != linear
    noisy = relu.replace("class ReLU", "import sys\nprint('x' * 1000, file=sys.stderr)\nclass ReLU")
    kinds = {
        "good": ({"linear.py": linear, "relu.py": relu}, 20.0),
        "good_in_one_notebook": ({"HW1.ipynb": _notebook()}, 20.0),
        "good_without_metadata": ({"homework (3).ipynb": _lost_metadata()}, 20.0),
        "good_but_renamed": ({"Linear FINAL.py": linear, "b/copy of relu (2).py": relu}, 20.0),
        "good_but_noisy": ({"linear.py": linear, "relu.py": noisy}, 20.0),
        "half_right": ({"linear.py": half, "relu.py": relu}, None),
        "one_of_two": ({"linear.py": linear}, 10.0),
        "wrong": ({"linear.py": linear, "relu.py": hostile.NOISE}, None),
        "blank": ({f"{name}.py": EXERCISES[name].stub for name in EXERCISES_OF_THE_CLASS}, 0.0),
        "empty": ({"readme.txt": "my dog ate it"}, 0.0),
    }
    for name, (text, as_good_as, _) in hostile.SUBMISSIONS.items():
        if as_good_as == "less than GOOD":  # it depends on the limits
            continue
        worth = {"GOOD": 20.0, "nothing": 10.0}.get(as_good_as)
        kinds[f"hostile_{name}"] = ({"linear.py": linear, "relu.py": text}, worth)
    return kinds


def write(folder, kinds) -> None:
    """A folder for each: {student: ({file: text}, points)}."""
    for student, (files, _) in kinds.items():
        for name, text in files.items():
            place = folder / student / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
