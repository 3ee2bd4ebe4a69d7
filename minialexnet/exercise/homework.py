"""A homework: which exercises, what they are worth, and what to hand out."""

import dataclasses
import json
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from minialexnet.errors import InputError, reading
from minialexnet.exercise import EXERCISES, notebook, sheet
from minialexnet.exercise.grading.session import Limits

FILE = "homework.json"
FORMATS = ("py", "notebook")


@dataclass(frozen=True)
class Part:
    """One exercise of a homework.

    Parameters
    ----------
    points : what it is worth
    seeds : of the hidden checks; each check counts at its worst
    """

    points: float
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class Homework:
    """What `homework.json` holds.

    Parameters
    ----------
    name : such as "HW1"
    seed : the hidden checks follow from it
    exercises : {name of the exercise: Part}, in the order of the sheet
    limits : what a submission may use
    """

    name: str
    seed: int
    exercises: dict[str, Part]
    limits: Limits = field(default_factory=Limits)

    @property
    def points(self) -> float:
        return sum(part.points for part in self.exercises.values())

    def json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


def chosen(text: str) -> list[str]:
    """The exercises that a list with commas names, in lecture order; a beginning names all of it.

    "conv2d" stands for conv2d_forward and conv2d_backward.
    """
    wanted = []
    for word in filter(None, map(str.strip, text.split(","))):
        found = [name for name in EXERCISES if name == word or name.startswith(f"{word}_")]
        if not found and word != "all":
            raise InputError(f'there is no exercise "{word}"; there are {", ".join(EXERCISES)}')
        wanted += found or EXERCISES
    if not wanted:
        raise InputError(f"no exercise was named; there are {', '.join(EXERCISES)}")
    return [name for name in EXERCISES if name in wanted]


def homework(name: str, exercises: list[str], points: dict, seed: int | None = None) -> Homework:
    """A homework with hidden checks of its own.

    Parameters
    ----------
    points : {exercise: points}; else an exercise is worth what its checks are
    seed : decides the hidden checks; drawn if not given

    Raises
    ------
    InputError
    """
    if not name or name.startswith(".") or not name.replace("-", "").replace("_", "").isalnum():
        raise InputError(f'a homework is called by letters, digits, - and _, got "{name}"')
    if seed is None:
        seed = secrets.randbits(32)
    if seed < 0:
        raise InputError(f"--seed should be 0 or more, got {seed}")
    for one in points:
        if one not in exercises:
            raise InputError(f'--points: the exercise "{one}" is not part of this homework')
    parts = {}
    for one in exercises:
        drawn = np.random.default_rng([seed, *one.encode()]).integers(1, 2**31)
        worth = points.get(one, sum(check.points for check in EXERCISES[one].checks))
        parts[one] = Part(worth, (int(drawn),))
    return Homework(name, seed, parts)


def load(path: Path) -> Homework:
    """The homework in a file, in a folder, or in the folder `instructor` of a folder.

    Raises
    ------
    InputError
        If there is none, or not such a one.
    """
    places = [path, path / FILE, path / "instructor" / FILE]
    if not path.exists():
        places = [
            one for one in sorted(Path().glob(f"*/instructor/{FILE}")) if _name(one) == str(path)
        ]
        if len(places) > 1:
            raise InputError(f"{path}: more than one: {' and '.join(map(str, places))}")
    found = [one for one in places if one.is_file()]
    if not found:
        raise InputError(f"{path}: there is no homework; minialexnet exercise new makes one")
    with reading(f"{found[0]}: not a homework that can be used"):
        read = json.loads(found[0].read_text(encoding="utf-8"))
        parts = {
            name: Part(_number(part["points"]), tuple(map(int, part["seeds"])))
            for name, part in read["exercises"].items()
        }
        limits = Limits(**read.get("limits", {}))
        wrong = [field for field, value in vars(limits).items() if not _number(value) > 0]
        if wrong or limits.late != int(limits.late):
            raise ValueError(f"limits: {wrong or 'late'} should be a number above 0")
        if not parts or not all(part.seeds for part in parts.values()):
            raise ValueError("no exercises, or one without seeds")
        known = Homework(str(read["name"]), int(read["seed"]), parts, limits)
    for name in known.exercises:
        if name not in EXERCISES:
            raise InputError(f'{found[0]}: there is no exercise "{name}"')
    return known


def _number(value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise ValueError(f"{value!r} should be a number, 0 or more")
    return value


def _name(path: Path) -> str | None:
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("name")
    except (ValueError, AttributeError):
        return None


def write(one: Homework, folder: Path, form: str, together: bool = False) -> None:
    """Make the folder: `student` to hand out, `instructor` to keep.

    Parameters
    ----------
    form : "py" or "notebook"
    together : all exercises in one file

    Raises
    ------
    InputError
        If there is something in the folder already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists already; choose another --out")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as draft:
        made = Path(draft) / "made"
        for path, text in files(one, form, together).items():
            place = made / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        made.replace(folder)


def files(one: Homework, form: str, together: bool) -> dict[str, str]:
    """Everything in the folder: {path: text}."""
    made = {
        "student/sheet.md": sheet.sheet(one, form, together),
        f"instructor/{FILE}": one.json(),
        "instructor/sheet_with_answers.md": sheet.sheet(one, form, together, answers=True),
    }
    groups = [list(one.exercises)] if together else [[name] for name in one.exercises]
    for names in groups:
        title = one.name if together else names[0]
        if form == "py":
            made[f"student/{title}.py"] = _python(names, "stub")
            made[f"instructor/solutions/{title}.py"] = _python(names, "answer")
        else:
            points = {name: one.exercises[name] for name in names}
            made[f"student/{title}.ipynb"] = notebook.student(points)
            made[f"instructor/solutions/{title}.ipynb"] = notebook.instructor(points)
            made[f"instructor/nbgrader/source/{one.name}/{title}.ipynb"] = notebook.instructor(
                points
            )
    if form == "notebook":
        made["instructor/nbgrader/nbgrader_config.py"] = notebook.CONFIG
    return made


def _python(names, which: str) -> str:
    texts = [getattr(EXERCISES[name], which) for name in names]
    if len(names) == 1:
        return texts[0]
    return "\n\n".join(
        f"# exercise: {name}\n{text}" for name, text in zip(names, texts, strict=True)
    )
