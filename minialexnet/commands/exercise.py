"""minialexnet exercise: hand out exercises, and mark what comes back."""

import sys
from pathlib import Path

from minialexnet.commands.common import Parser
from minialexnet.errors import InputError


def add(commands) -> None:
    one = commands.add_parser("exercise", help="hand out exercises, and mark what comes back")
    doing = one.add_subparsers(required=True, metavar="ACTION", parser_class=Parser)

    one = doing.add_parser("list", help="the exercises that there are")
    one.set_defaults(command=list_)

    one = doing.add_parser("new", help="make a homework: a folder to hand out, and one to keep")
    one.set_defaults(command=new)
    one.add_argument("name", metavar="NAME", help="what it is called, such as HW1")
    one.add_argument(
        "--layers",
        required=True,
        metavar="NAMES",
        help="the exercises, with commas between (conv2d is both of its halves; all)",
    )
    one.add_argument("--out", required=True, type=Path, metavar="DIR", help="the folder to make")
    one.add_argument("--format", default="py", metavar="NAME", help="py or notebook (py)")
    one.add_argument("--together", action="store_true", help="all exercises in one file")
    one.add_argument(
        "--points",
        nargs="+",
        default=[],
        metavar="NAME=NUMBER",
        help="what an exercise is worth (the sum of its checks)",
    )
    one.add_argument("--seed", type=int, metavar="NUMBER", help="decides the hidden checks (drawn)")

    one = doing.add_parser("grade", help="mark a folder of submissions")
    one.set_defaults(command=grade)
    one.add_argument("homework", type=Path, metavar="HOMEWORK", help="folder that new has made")
    one.add_argument(
        "submissions", type=Path, metavar="SUBMISSIONS", help="has a folder or file a student"
    )
    one.add_argument("--out", required=True, type=Path, metavar="CSV", help="the table to write")
    one.add_argument(
        "--feedback", type=Path, metavar="DIR", help="make a folder with a page for each student"
    )
    one.add_argument(
        "--processes", type=int, metavar="NUMBER", help="students at once (all processors)"
    )


def list_(arguments) -> int:
    from minialexnet.exercise import EXERCISES

    width = max(map(len, EXERCISES))
    for name, one in EXERCISES.items():
        points = sum(check.points for check in one.checks)
        print(
            f"{name:<{width}}  {one.title}: write {one.provides}, about {one.minutes} minutes, "
            f"{len(one.checks)} checks, {points:g} points"
        )
    return 0


def new(arguments) -> int:
    from minialexnet.exercise import homework as homeworks

    a = arguments
    if a.format not in homeworks.FORMATS:
        raise InputError(f"--format should be py or notebook, got {a.format}")
    exercises = homeworks.chosen(a.layers)
    made = homeworks.homework(a.name, exercises, _points(a.points), a.seed)
    homeworks.write(made, a.out, a.format, a.together)
    print(
        f"{a.out}: {made.name}, {len(exercises)} exercises, {made.points:g} points; hand out "
        f"{a.out / 'student'}, keep {a.out / 'instructor'}, and mark with: minialexnet exercise "
        f"grade {a.out} SUBMISSIONS --out grades.csv"
    )
    return 0


def _points(words) -> dict[str, float]:
    points = {}
    for word in words:
        name, _, number = word.partition("=")
        try:
            points[name] = float(number)
        except ValueError:
            points[name] = -1
        if not 0 < points[name] < 1e6:
            raise InputError(f"--points should be NAME=NUMBER with a number above 0, got {word}")
        if points[name] == int(points[name]):
            points[name] = int(points[name])
    return points


def grade(arguments) -> int:
    from minialexnet.exercise import homework as homeworks
    from minialexnet.exercise.grading import grade as grading
    from minialexnet.exercise.grading import protection, report, submission
    from minialexnet.files import whole

    a = arguments
    homework = homeworks.load(a.homework)
    if not a.submissions.is_dir():
        raise InputError(f"{a.submissions}: no such folder")
    students = submission.students(a.submissions)
    if not students:
        raise InputError(f"{a.submissions}: nobody has handed in a folder, a .py or an .ipynb file")
    processes = grading.processors() if a.processes is None else a.processes
    if processes < 1:
        raise InputError(f"--processes should be 1 or more, got {processes}")
    if a.out.exists():
        raise InputError(f"{a.out} exists already; choose another --out")
    if not a.out.parent.is_dir():
        raise InputError(f"{a.out.parent}: no such folder")
    if (
        a.feedback
        and a.feedback.exists()
        and (not a.feedback.is_dir() or any(a.feedback.iterdir()))
    ):
        raise InputError(f"{a.feedback} exists already; choose another --feedback")
    guard = protection.found(homework.limits)
    with _Progress(len(students)) as progress:
        class_ = grading.grade(homework, a.submissions, processes, progress, guard)
    if a.feedback:
        a.feedback.mkdir(parents=True, exist_ok=True)
        for student, one in class_.items():
            for end, made in (("md", report.markdown), ("html", report.page)):
                place = a.feedback / f"{student}.{end}"
                # A folder's name may hold bytes that are no text.
                place.write_text(made(homework, student, one), encoding="utf-8", errors="replace")
    with whole(a.out) as file:
        file.write(report.table(homework, class_).encode("utf-8", "replace"))
    summary = report.summary(homework, class_, guard)
    print(summary.encode("utf-8", "replace").decode(), end="")
    return 0


class _Progress:
    """Students marked, for who watches."""

    def __init__(self, count: int):
        self.count = count

    def __enter__(self):
        from tqdm import tqdm

        self.bar = tqdm(total=self.count, unit=" students", disable=not sys.stderr.isatty())
        return self.bar.update

    def __exit__(self, *error):
        self.bar.close()
