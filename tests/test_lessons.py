"""The lessons as they are committed, and (marked long) run again from a clean kernel."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

LESSONS = Path(__file__).parent.parent / "lessons"
if not LESSONS.exists():
    pytest.skip("the package is installed without its lessons", allow_module_level=True)
NOTEBOOKS = sorted(LESSONS.glob("[0-9][0-9]_*.ipynb"))
# bytes of a notebook, and seconds that one of its cells may take
LARGEST, LONGEST = 400_000, 90

lessons = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path, kind=None):
    found = json.loads(path.read_text())["cells"]
    return [cell for cell in found if kind in (None, cell["cell_type"])]


def text(cell):
    return "".join(cell["source"])


def words(output):
    """All text of an output, pictures apart."""
    data = {kind: said for kind, said in output.get("data", {}).items() if "image" not in kind}
    return json.dumps([output.get("text"), data])


def outputs(path):
    return [output for cell in cells(path, "code") for output in cell["outputs"]]


def test_there_are_lessons():
    assert NOTEBOOKS


@lessons
def test_it_was_run_from_top_to_bottom(path):
    code = cells(path, "code")
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert outputs(path)


@lessons
def test_no_output_is_an_error_or_a_warning(path):
    for output in outputs(path):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr"


@lessons
def test_it_is_small(path):
    assert path.stat().st_size < LARGEST


@lessons
def test_it_names_no_place_on_a_machine(path):
    everything = [words(output) for output in outputs(path)] + [text(cell) for cell in cells(path)]
    for one in everything:
        assert not re.search(r"/(tmp|home|root|work|Users|usr)/|[A-Z]:\\\\|site-packages", one)


@lessons
def test_it_depends_on_no_version_or_time(path):
    whole = json.loads(path.read_text())
    assert set(whole["metadata"]["language_info"]) == {"name"}
    assert all("execution" not in cell["metadata"] for cell in whole["cells"])


@lessons
def test_it_opens_with_what_one_will_be_able_to_do(path):
    first = text(cells(path)[0])
    number = int(path.name[:2])
    assert cells(path)[0]["cell_type"] == "markdown"
    assert re.match(rf"# {number}\. \w", first)
    assert "After this lesson you will be able to" in first


@lessons
def test_it_ends_with_an_exercise_and_a_summary(path):
    exercise, _, summary = text(cells(path)[-1]).rpartition("## In three lines")
    assert "## Your turn" in exercise
    (link,) = set(re.findall(r"\((exercises/\w+\.py)\)", exercise))
    assert (LESSONS / link).exists()
    assert len(re.findall(r"^\* ", summary, re.MULTILINE)) == 3


@lessons
def test_every_picture_is_described_below_it(path):
    found = cells(path)
    for cell, after in zip(found, [*found[1:], None], strict=True):
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            assert after["cell_type"] == "markdown", text(cell)
            assert text(after).startswith("*"), text(cell)


@lessons
def test_files_that_it_links_to_exist(path):
    for cell in cells(path, "markdown"):
        for link in re.findall(r"\]\(([\w./-]+)\)", text(cell)):
            assert (LESSONS / link).exists(), link


@lessons
def test_code_that_it_quotes_is_the_librarys(path):
    sources = [file.read_text() for file in (LESSONS.parent / "minialexnet").rglob("*.py")]
    for cell in cells(path, "markdown"):
        for quoted in re.findall(r"```python\n(.*?)```", text(cell), re.DOTALL):
            assert any(quoted in source for source in sources), quoted


@lessons
def test_the_table_of_contents_has_it(path):
    assert f"({path.name})" in (LESSONS / "README.md").read_text()


def test_the_table_of_contents_has_nothing_else():
    rows = re.findall(r"\((\d\d_\w+\.ipynb)\)", (LESSONS / "README.md").read_text())
    assert rows == [path.name for path in NOTEBOOKS]
    for link in re.findall(r"\]\(([\w./-]+)\)", (LESSONS / "README.md").read_text()):
        assert (LESSONS / link).exists(), link


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@lessons
def test_it_runs_from_a_clean_kernel(path):
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    spec = importlib.util.spec_from_file_location("execute", LESSONS / "execute.py")
    execute = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(execute)
    before = path.read_bytes()
    notebook = execute.executed(path, LONGEST)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", output
    assert path.read_bytes() == before
    kinds = [[o["output_type"] for o in c.get("outputs", [])] for c in notebook.cells]
    assert kinds == [[o["output_type"] for o in c.get("outputs", [])] for c in cells(path)]
