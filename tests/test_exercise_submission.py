"""What a student handed in is found, whatever it is called and whatever is missing."""

import json
import os

import hostile
import pytest

from minialexnet.exercise import EXERCISES, notebook
from minialexnet.exercise.grading import scan, submission
from minialexnet.exercise.homework import Part

LINEAR = EXERCISES["linear"].answer


@pytest.fixture
def found(tmp_path):
    """The `Source` of an exercise in {file: text}, or None."""

    def found(files, name="relu", all_names=("relu", "linear")):
        folder = tmp_path / "ada"
        for file, text in files.items():
            place = folder / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text if isinstance(text, bytes) else text.encode())
        documents, beside, _ = submission.read(folder)
        others = [one for one in all_names if one != name]
        return submission.source(documents, beside, EXERCISES[name], others)

    return found


def text(source) -> str:
    return "\n".join(text for _, text in source.cells)


@pytest.mark.parametrize(
    "name",
    ["relu.py", "ReLU (1).py", "relu-copy2.py", "final_v2.py", "week 1/my relu.py", "übung.py"],
)
def test_a_renamed_file_is_found_by_what_it_defines(found, name):
    files = {name: hostile.GOOD, "linear.py": LINEAR, "notes.txt": "hello"}
    assert "mask = x > 0" in text(found(files))
    assert found(files, "linear").file == "linear.py"


def test_the_written_one_of_two_is_taken_and_said_so(found):
    files = {"a.py": EXERCISES["relu"].stub, "b.py": hostile.GOOD, "c.py": hostile.GOOD}
    source = found(files)
    assert source.file == "b.py"
    assert any("c.py would have been possible" in remark for remark in source.remarks)


def test_nothing_handed_in_is_nothing_found(found):
    assert found({"linear.py": LINEAR}) is None
    assert found({"readme.md": "no code"}) is None
    assert found({"a.py": "x = 1", "b.py": "y = 2"}) is None


def test_the_only_file_is_tried_even_if_nothing_is_seen_in_it(found):
    assert found({"a.py": "exec(text)"}).file == "a.py"


@pytest.mark.parametrize(
    "way", ["ReLU = make()", "if True:\n    class ReLU: pass", "from helper import ReLU"]
)
def test_other_ways_to_define_it_are_found(found, way):
    assert found({"x.py": way}) is not None


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_line_endings_and_encodings_do_not_matter(found, ending, encoding):
    content = ("# ü\n" + hostile.GOOD).replace("\n", ending).encode(encoding)
    assert "mask = x > 0" in text(found({"relu.py": content}))


def test_one_file_for_all_is_cut_at_its_marks(found):
    together = f"# exercise: linear\n{LINEAR}\n# exercise: relu\n{hostile.GOOD}"
    cells = found({"HW1.py": together}).cells
    assert len(cells) == 1
    assert "class Linear" not in cells[0][1]
    # Lines keep their numbers.
    assert cells[0][1].splitlines().index("class ReLU(Layer):") == together.splitlines().index(
        "class ReLU(Layer):"
    )


def cells_of(parts=("linear", "relu")):
    return json.loads(notebook.instructor({name: Part(10, (5,)) for name in parts}))


def test_a_notebook_gives_its_solutions_without_its_tests(found):
    source = found({"HW1.ipynb": json.dumps(cells_of())})
    assert "class ReLU" in text(source)
    assert "class Linear" not in text(source)
    assert "points=" not in text(source)


@pytest.mark.parametrize("damage", ["metadata", "tests", "twice", "setup", "output", "odd"])
def test_a_damaged_notebook_is_read_all_the_same(found, damage):
    made = cells_of()
    cells = made["cells"]
    if damage == "metadata":
        for cell in cells:
            cell["metadata"] = {}
    elif damage == "tests":
        made["cells"] = [c for c in cells if "grade" not in str(c["metadata"])[:40]]
        made["cells"] = [c for c in cells if not c["id"].endswith(("check", "hidden"))]
    elif damage == "twice":
        made["cells"] = cells + cells
    elif damage == "setup":
        made["cells"] = cells[1:]
    elif damage == "output":
        cells[2]["outputs"] = [{"output_type": "stream", "text": ["x" * 10**5]}]
    else:
        made["cells"] = [None, 3, {"cell_type": "code"}, {"cell_type": "code", "source": 5}, *cells]
    assert "class ReLU" in text(found({"any name.ipynb": json.dumps(made)}))


def test_magics_are_left_out_and_a_broken_cell_costs_no_other(found):
    made = cells_of(["relu"])
    extra = ["%matplotlib inline\n!pip install x\nok = 1\nnp.zeros?", "%%time\nslow()", "def (:"]
    for number, source in enumerate(extra):
        made["cells"].insert(1, {"cell_type": "code", "metadata": {}, "source": source,
                                 "id": str(number)})  # fmt: skip
    source = found({"relu.ipynb": json.dumps(made)})
    assert "ok = 1" in text(source)
    assert "%matplotlib" not in text(source) and "pip" not in text(source)
    assert any("was left out" in remark for remark in source.remarks)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"cells": 3}', b"\xff\xfe", b"[" * 10**5])
def test_what_is_no_notebook_is_said_to_be_none(content):
    document = submission._notebook("x.ipynb", content)
    assert document.cells == ()
    assert "no notebook" in document.remarks[0]


def test_links_devices_and_large_files_are_left_out(tmp_path, monkeypatch):
    (tmp_path / "secret.py").write_text("class ReLU: pass")
    folder = tmp_path / "ada"
    folder.mkdir()
    (folder / "relu.py").symlink_to(tmp_path / "secret.py")
    (folder / "all").symlink_to("/")
    os.mkfifo(folder / "pipe.py")
    with (folder / "large.py").open("wb") as file:
        file.truncate(submission.FILE + 1)
    documents, files, remarks = submission.read(folder)
    assert not documents and not files
    assert len(remarks) == 4
    for number in range(submission.FILES):
        (folder / f"b{number}.py").write_text("")
    assert "more than" in submission.read(folder)[2][-1]


def test_students_are_the_folders_and_the_files(tmp_path):
    for name in ("ada/x.py", "bob.py", "bob/relu.py", "eve.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "list.txt").write_text("")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "link").symlink_to("/")
    assert list(submission.students(tmp_path)) == ["ada", "bob", "bob.py", "eve"]


def notes(text):
    return scan.notes((("relu.py", text),), EXERCISES["relu"])


def test_honest_texts_are_not_suspected():
    assert notes(EXERCISES["relu"].answer) == ()
    assert notes(hostile.GOOD) == ()
    assert notes("import numpy as np\nimport scipy.signal\nimport time, math\nx = np.pi\n") == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("from minialexnet.layers import ReLU", "own answer"),
        ("from minialexnet.layers import *", "own answer"),
        ("import minialexnet.layers as l\nx = l.ReLU", "own answer"),
        ("from minialexnet.exercise.tasks import relu", "own answer"),
        ("import numpy as n\nn.abs = 1", "changes another module"),
        ("import numpy as n\nn.random.seed = 1", "changes another module"),
        ("import numpy\nsetattr(numpy, 'abs', 1)", "changes another module"),
        ("import numpy\ndel numpy.abs", "changes another module"),
        ("import os as o\no._exit(0)", "ends the process"),
        ("from os import _exit", "ends the process"),
        ("exec('1')", "runs text"),
        ("x._memory", "looks where"),
        ("import torch.nn", "ready-made"),
    ],
)
def test_attempts_are_noted_with_their_line(text, word):
    (note, *_) = notes("\n\n" + text)
    assert word in note
    assert "line 3" in note or "line 4" in note
