"""minialexnet exercise: what it makes, what it says, and what it refuses."""

import ast
import json

import pytest
import tiny
from test_exercise_grading import state

from minialexnet.__main__ import main
from minialexnet.exercise import EXERCISES, homework
from minialexnet.exercise.grading import grade, report
from minialexnet.exercise.grading.protection import Protection


def called(capsys, *words):
    """The exit code, and what was printed to stdout and stderr."""
    capsys.readouterr()
    try:
        code = main(["exercise", *map(str, words)])
    except SystemExit as end:
        code = end.code
    return code, *capsys.readouterr()


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    """The current folder, with a homework, a submission and a table in it."""
    monkeypatch.chdir(tmp_path)
    code, _, _ = called(capsys, "new", "HW1", "--layers", "relu,conv2d", "--out", "made",
                        "--seed", 3, "--points", "relu=5")  # fmt: skip
    assert code == 0
    (tmp_path / "in" / "ada").mkdir(parents=True)
    (tmp_path / "in" / "ada" / "relu.py").write_text(EXERCISES["relu"].answer)
    (tmp_path / "empty").mkdir()
    (tmp_path / "grades.csv").write_text("precious")
    return tmp_path


def test_list_names_every_exercise(capsys):
    code, said, errors = called(capsys, "list")
    assert code == 0 and errors == ""
    assert [line.split()[0] for line in said.splitlines()] == list(EXERCISES)


def test_a_homework_has_what_students_and_instructors_need(place):
    made = state(place / "made")
    names = ["conv2d_backward", "conv2d_forward", "relu"]
    assert sorted(path for path in made if "." in path) == sorted(
        ["instructor/homework.json", "instructor/sheet_with_answers.md", "student/sheet.md"]
        + [
            f"{folder}/{name}.py"
            for folder in ("student", "instructor/solutions")
            for name in names
        ]
    )
    sheet = (place / "made" / "student" / "sheet.md").read_text()
    assert "| 15 | 5 |" in sheet
    assert len(sheet.splitlines()) < 60
    seeds = json.loads((place / "made/instructor/homework.json").read_text())["exercises"]
    for name, part in seeds.items():
        for path in (place / "made" / "student").iterdir():
            assert str(part["seeds"][0]) not in path.read_text()
        assert (
            EXERCISES[name].answer == (place / f"made/instructor/solutions/{name}.py").read_text()
        )
    answers = (place / "made/instructor/sheet_with_answers.md").read_text()
    assert "def forward" in answers and "Hints" in answers


def test_students_get_no_solutions(place, capsys):
    for form, together in (("py", ["--together"]), ("notebook", []), ("notebook", ["--together"])):
        out = place / f"{form}{len(together)}"
        words = ["new", "HW2", "--layers", "all", "--out", out, "--format", form, *together]
        assert called(capsys, *words)[0] == 0
        files = [path for path in (out / "student").iterdir() if path.suffix != ".md"]
        assert len(files) == (1 if together else len(EXERCISES))
        for path in files:
            text = path.read_text()
            assert "SOLUTION" not in text and "HIDDEN" not in text
            assert "raise NotImplementedError()" in text
            if form == "py":
                ast.parse(text)
        config = out / "instructor" / "nbgrader" / "nbgrader_config.py"
        assert config.exists() == (form == "notebook")
        if form == "notebook":
            assert "add_missing_cells = True" in config.read_text()


def test_the_same_seed_makes_the_same_homework_and_no_seed_another(place, capsys):
    words = ["new", "HW1", "--layers", "relu,conv2d", "--points", "relu=5", "--out"]
    assert called(capsys, *words, "again", "--seed", 3)[0] == 0
    assert state(place / "again") == state(place / "made")
    seeds = []
    for name in ("one", "two"):
        assert called(capsys, *words, name)[0] == 0
        seeds.append(json.loads((place / name / "instructor/homework.json").read_text())["seed"])
    assert len(set(seeds)) == 2


def test_hidden_checks_are_never_the_visible_ones():
    for seed in range(50):
        made = homework.homework("HW1", list(EXERCISES), {}, seed)
        seeds = [number for part in made.exercises.values() for number in part.seeds]
        assert 0 not in seeds
        assert len(set(seeds)) == len(seeds)


def test_a_homework_is_found_by_its_folder_or_its_name(place):
    for path in ("made", "made/instructor", "made/instructor/homework.json", "HW1"):
        assert homework.load(homework.Path(path)).name == "HW1"


NEW = ["new", "HW9", "--layers", "relu", "--out", "new"]
GRADE = ["grade", "made", "in", "--out", "new.csv"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "required"),
        (["mark"], "invalid choice"),
        (["new", "HW9"], "required"),
        ([*NEW[:2], "--layers", "rule", "--out", "new"], 'no exercise "rule"'),
        ([*NEW[:2], "--layers", ",", "--out", "new"], "no exercise was named"),
        ([*NEW[:4], "--out", "made"], "made exists already"),
        ([*NEW[:4], "--out", "grades.csv"], "grades.csv exists already"),
        ([*NEW[:4], "--out", "grades.csv/x"], "grades.csv"),
        ([*NEW, "--format", "pdf"], "--format should be py or notebook"),
        ([*NEW, "--points", "relu"], "NAME=NUMBER"),
        ([*NEW, "--points", "relu=x"], "NAME=NUMBER"),
        ([*NEW, "--points", "relu=0"], "above 0"),
        ([*NEW, "--points", "relu=nan"], "above 0"),
        ([*NEW, "--points", "linear=3"], '"linear" is not part'),
        ([*NEW, "--seed", "x"], "invalid int"),
        ([*NEW, "--seed", "-1"], "--seed should be 0 or more"),
        (["new", "../x", *NEW[2:]], "letters, digits"),
        (["new", "", *NEW[2:]], "letters, digits"),
        (["grade", "HW7", "in", "--out", "new.csv"], "there is no homework"),
        (["grade", "empty", "in", "--out", "new.csv"], "there is no homework"),
        (["grade", "broken", "in", "--out", "new.csv"], "not a homework that can be used"),
        (["grade", "made", "nowhere", "--out", "new.csv"], "no such folder"),
        (["grade", "made", "grades.csv", "--out", "new.csv"], "no such folder"),
        (["grade", "made", "empty", "--out", "new.csv"], "nobody has handed in"),
        (["grade", "made", "in", "--out", "grades.csv"], "exists already"),
        (["grade", "made", "in", "--out", "nowhere/x.csv"], "no such folder"),
        ([*GRADE, "--feedback", "made"], "exists already"),
        ([*GRADE, "--processes", "0"], "1 or more"),
    ],
)
def test_wrong_words_are_refused_in_one_line_and_nothing_is_changed(place, capsys, words, said):
    (place / "broken").mkdir()
    (place / "broken" / "homework.json").write_text('{"name": 3')
    before = tiny.contents(place)
    code, out, errors = called(capsys, *words)
    assert code == 2
    assert out == ""
    assert said in errors
    assert errors.count("\n") == 1
    assert tiny.contents(place) == before


@pytest.mark.parametrize(
    "change",
    [
        {"exercises": {}},
        {"exercises": {"relu": {"points": 5, "seeds": []}}},
        {"exercises": {"relu": {"points": -5, "seeds": [1]}}},
        {"exercises": {"relu": {"points": "x", "seeds": [1]}}},
        {"exercises": {"nothing": {"points": 5, "seeds": [1]}}},
        {"exercises": [1]},
        {"limits": {"seconds": 0}},
        {"limits": {"hours": 3}},
        {"limits": {"memory": True}},
        {"seed": None},
    ],
)
def test_a_homework_that_was_edited_wrongly_is_refused(place, capsys, change):
    file = place / "made/instructor/homework.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    code, _, errors = called(capsys, *GRADE)
    assert code == 2 and errors.count("\n") == 1


def test_points_can_be_changed_afterwards(place, capsys):
    file = place / "made/instructor/homework.json"
    made = json.loads(file.read_text())
    made["exercises"] = {"relu": {**made["exercises"]["relu"], "points": 7.5}}
    file.write_text(json.dumps(made))
    code, said, errors = called(capsys, *GRADE, "--feedback", "pages")
    assert code == 0 and errors == ""
    assert (place / "new.csv").read_text() == (
        "student,relu,total,of,remarks,attempts\nada,7.50,7.50,7.5,0,0\n"
    )
    assert "7.5 of 7.5 points" in (place / "pages" / "ada.md").read_text()
    assert "passed" in (place / "pages" / "ada.html").read_text()
    assert "In force while they were marked" in said


def test_pages_and_tables_hold_no_code_of_students():
    evil = "<script>alert(1)</script>"
    made = homework.homework("HW1", ["relu"], {}, 1)
    checks = [{"check": "shapes", "points": 1, "earned": 0.0, "message": evil}]
    part = {"file": "x", "points": 12, "earned": 0.0, "checks": checks}
    one = {"remarks": [evil], "exercises": {"relu": part | {"remarks": [evil], "attempts": [evil]}}}
    assert "<script>" not in report.page(made, evil, one)
    lines = report.markdown(made, evil, one).splitlines()
    assert all("<script>" not in line for line in lines if not line.startswith("    "))
    assert report.table(made, {"=cmd()": one}).splitlines()[1].startswith("'=cmd()")


def test_a_marking_that_is_killed_leaves_the_student_without_marks_and_says_so():
    made = homework.homework("HW1", ["relu"], {}, 1)

    class Killed:
        def poll(self):
            return True

        def recv_bytes(self):
            raise EOFError

        def kill(self):
            pass

        close = join = kill

    one = grade._marks(Killed(), Killed(), made)
    assert report.total(one) == 0
    assert "could not be marked" in one["remarks"][0]
    assert "no points: ada." in report.summary(made, {"ada": one}, Protection(walled=True))


def test_protections_are_told_as_they_are():
    held, lacking = Protection(walled=True).told()
    assert "no network" in held and not lacking
    held, lacking = Protection(walled=False).told()
    assert "no network" not in held
    assert any("network" in line for line in lacking)
