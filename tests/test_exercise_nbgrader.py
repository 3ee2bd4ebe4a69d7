"""The exercises as notebooks in the real nbgrader: from assignment to exported marks."""

import csv
import json
import os
import shutil
import subprocess
import sys

import pytest

from minialexnet.__main__ import main
from minialexnet.exercise import EXERCISES, notebook
from minialexnet.exercise.homework import Part

try:
    import nbgrader
except ImportError:
    nbgrader = None
needs_nbgrader = pytest.mark.skipif(
    nbgrader is None, reason='needs nbgrader: pip install "minialexnet[nbgrader]"'
)
POINTS = {"linear": 8, "relu": 4}


def solved(text: str, name: str, solution: str) -> str:
    """The students' notebook with a solution in the cell of an exercise."""
    made = json.loads(text)
    for cell in made["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == f"{name}-solution":
            cell["source"] = solution
    return json.dumps(made)


def test_notebooks_carry_what_nbgrader_asks_for():
    parts = {name: Part(points, (9,)) for name, points in POINTS.items()}
    teacher, student = json.loads(notebook.instructor(parts)), json.loads(notebook.student(parts))
    for made in (teacher, student):
        ids = [cell["id"] for cell in made["cells"]]
        assert len(set(ids)) == len(ids)
        points = 0
        for cell in made["cells"]:
            about = cell["metadata"].get("nbgrader")
            if about:
                assert about["schema_version"] == 3
                assert about["task"] is False
                points += about.get("points", 0)
        assert points == sum(POINTS.values())
    text = json.dumps(student)
    assert "SOLUTION" not in text and "HIDDEN" not in text and "seed=" not in text
    assert text.count("YOUR CODE HERE") == json.dumps(teacher).count("### BEGIN SOLUTION")
    assert "seed=9" in json.dumps(teacher)
    assert notebook.student(parts) == notebook.student(parts)


def test_test_cells_are_one_line_that_gives_a_float():
    made = json.loads(notebook.student({"relu": Part(4, (9,))}))
    (cell,) = [cell for cell in made["cells"] if cell["id"] == "relu-check"]
    assert "".join(cell["source"]) == 'exercise.check("relu", ReLU, points=2.0)'


@pytest.mark.long
@needs_nbgrader
@pytest.mark.filterwarnings("ignore")
def test_good_half_right_and_blank_notebooks_get_their_marks_from_nbgrader(tmp_path):
    words = ["--layers", "linear,relu", "--format", "notebook", "--together", "--seed", "5"]
    words += ["--points", "linear=8", "relu=4"]
    assert main(["exercise", "new", "HW1", "--out", str(tmp_path / "HW1"), *words]) == 0
    course = tmp_path / "HW1" / "instructor" / "nbgrader"
    # nbgrader keeps its files where the user's home is.
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **os.environ,
        "HOME": str(home),
        # nbgrader calls alembic by its name, as in an environment that was activated.
        "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_PATH": f"{sys.prefix}/share/jupyter",
        "PYTHONWARNINGS": "ignore",
    }

    def nbgrader(*words):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *words],
            cwd=course,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    nbgrader("generate_assignment", "HW1")
    released = (course / "release" / "HW1" / "HW1.ipynb").read_text()
    ours = (tmp_path / "HW1" / "student" / "HW1.ipynb").read_text()
    cells = [
        [("".join(cell["source"]).strip(), cell["cell_type"]) for cell in json.loads(text)["cells"]]
        for text in (released, ours)
    ]
    assert cells[0] == cells[1]

    linear, relu = EXERCISES["linear"].answer, EXERCISES["relu"].answer
    noisy = "import sys, numpy as np\n" + relu.replace(
        "        ### BEGIN SOLUTION", "        print('!', file=sys.stderr); np.log(x * 0 - 1)", 1
    )
    half = linear.replace('{"weight": ', '{"weight": 2 * ')
    assert half != linear
    good = solved(solved(ours, "linear", linear), "relu", relu)
    lost = json.loads(good)
    lost["cells"] = [cell for cell in lost["cells"] if not cell["id"].endswith("hidden")]
    handed_in = {
        "good": good,
        "noisy": solved(solved(ours, "linear", linear), "relu", noisy),
        "lost_a_cell": json.dumps(lost),
        "half_right": solved(ours, "linear", half),
        "blank": ours,
    }
    for student, text in handed_in.items():
        place = course / "submitted" / student / "HW1"
        place.mkdir(parents=True)
        (place / "HW1.ipynb").write_text(text)
    nbgrader("autograde", "HW1")
    nbgrader("generate_feedback", "HW1")
    nbgrader("export", "--to", "grades.csv")

    with (course / "grades.csv").open() as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    score = {student: float(row["score"]) for student, row in rows.items()}
    assert {float(row["max_score"]) for row in rows.values()} == {12.0}
    assert score["good"] == score["noisy"] == score["lost_a_cell"] == 12
    assert 0 < score["half_right"] < 8
    assert score["blank"] == 0
    for student in handed_in:
        page = (course / "feedback" / student / "HW1" / "HW1.html").read_text()
        assert "against the naive loop" in page

    # The same notebooks in this package's own hands: the same marks.
    shutil.rmtree(course / "autograded")
    out = tmp_path / "grades.csv"
    words = [tmp_path / "HW1", course / "submitted", "--out", out]
    assert main(["exercise", "grade", *map(str, words)]) == 0
    with out.open() as file:
        ours = {row["student"]: float(row["total"]) for row in csv.DictReader(file)}
    assert ours == {student: pytest.approx(score[student], abs=0.02) for student in handed_in}
