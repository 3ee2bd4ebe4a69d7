"""What a student handed in, as the text of each exercise: whatever the files are called."""

import ast
import json
import re
import stat
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from minialexnet.exercise.notebook import MARK

# Of one student: files, bytes of a file, bytes of all of them, letters of Python in a file.
FILES, FILE, ALL, LETTERS = 200, 4 * 2**20, 16 * 2**20, 2**19
SKIPPED = (".ipynb_checkpoints", "__pycache__", ".git", "__MACOSX")


@dataclass(frozen=True)
class Source:
    """The text that is marked as one exercise.

    Parameters
    ----------
    file : its name
    cells : ((name, text), ...), the cells of a notebook or the one text of a file
    files : {path: its bytes, each as the letter of that number}, what else is beside it
    remarks : what is odd about it, for the instructor and the student
    """

    file: str
    cells: tuple[tuple[str, str], ...]
    files: dict = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """One file: cells of (name, text, the exercise that it belongs to or None)."""

    file: str
    cells: tuple[tuple[str, str, str | None], ...]
    remarks: tuple[str, ...] = ()


def students(folder: Path) -> dict[str, Path]:
    """Who handed in: each folder or file of Python or Jupyter in there is one student."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in SKIPPED or path.is_symlink():
            continue
        if path.is_dir() or path.suffix in (".py", ".ipynb"):
            name = path.name if path.is_dir() else path.stem
            # ada.py beside ada/ or ada.ipynb
            found[name if name not in found else path.name] = path
    return found


def read(path: Path) -> tuple[list[Document], dict[str, str], list[str]]:
    """The documents of a student, the bytes of all files by their path, and remarks."""
    documents, files, remarks, total = [], {}, [], 0
    paths = sorted(path.rglob("*")) if path.is_dir() else [path]
    base = path if path.is_dir() else path.parent
    kept = [one for one in paths if not set(one.relative_to(base).parts) & set(SKIPPED)]
    for one in kept[:FILES]:
        name = one.relative_to(base).as_posix()
        mode = one.lstat().st_mode
        if stat.S_ISDIR(mode):
            continue
        if not stat.S_ISREG(mode):
            remarks.append(f"{name} is a link or a device, and was left out")
            continue
        size = one.stat().st_size
        if size > FILE or total + size > ALL:
            remarks.append(f"{name} is too large ({size / 1e6:.1f} MB), and was left out")
            continue
        total += size
        try:
            content = one.read_bytes()
        except OSError as error:
            remarks.append(f"{name} cannot be read: {error.strerror}")
            continue
        if one.suffix == ".py":
            documents.append(_python(name, content))
        elif one.suffix == ".ipynb":
            documents.append(_notebook(name, content))
        if one.suffix != ".ipynb":
            files[name] = content.decode("latin-1")
    if len(kept) > FILES:
        remarks.append(f"more than {FILES} files; the others were left out")
    return documents, files, remarks


def source(documents, files, exercise, others) -> Source | None:
    """The text to mark as that exercise, or None if there is none.

    Parameters
    ----------
    exercise : the `Exercise`
    others : names of the homework's other exercises
    """
    rated = [(_rating(one, exercise, others), one) for one in documents]
    rated = [(rating, one) for rating, one in rated if rating > 0]
    if not rated and len(documents) == 1 and not _names(documents[0], others):
        rated = [(1, documents[0])]
    if not rated:
        return None
    best = max(rating for rating, _ in rated)
    first, *rest = [one for rating, one in rated if rating == best]
    remarks = list(first.remarks)
    if rest:
        names = ", ".join(one.file for one in rest)
        remarks.append(f"{first.file} was marked; {names} would have been possible too")
    if _plain(first.file) != exercise.name and not _tagged(first, exercise):
        remarks.append(f"found in {first.file}")
    cells = tuple(
        (name, text) for name, text, owner in first.cells if owner in (None, exercise.name)
    )
    return Source(first.file, cells, files, tuple(remarks))


def _rating(document, exercise, others) -> float:
    """How likely it is that the exercise is in there; 0 for not at all."""
    texts = [text for _, text, owner in document.cells if owner in (None, exercise.name)]
    defined = max((_defined(text, exercise.provides) for text in texts), default=0)
    name = _plain(document.file)
    exact, tagged = name == exercise.name, _tagged(document, exercise)
    if not defined:
        # It may be defined in a way that nobody sees before it runs.
        return 0.5 * (exact or tagged)
    named = 8 * exact + 4 * (not exact and exercise.name in name)
    foreign = any(other not in exercise.name for other in _names(document, others))
    return 1 + 2 * (defined > 1) + named + 8 * tagged - 0.5 * foreign


def _names(document, exercises) -> list[str]:
    """The exercises that a file's name names."""
    return [one for one in exercises if one in _plain(document.file)]


def _tagged(document, exercise) -> bool:
    return any(owner == exercise.name for _, _, owner in document.cells)


def _plain(file: str) -> str:
    """`relu` for "Relu (1).py", "relu-copy2.ipynb"."""
    stem = Path(file).stem.lower().replace("-", "_").replace(" ", "_")
    return re.sub(r"(_?\(\d+\)|_copy\d*|_final|_v\d+)+$", "", stem)


def _defined(text: str, name: str) -> int:
    """0: not there; 1: as it was handed out; 2: written."""
    tree = parsed(text)
    if tree is None:
        return 2 * bool(re.search(rf"^(class|def)\s+{name}\b|^{name}\s*=", text, re.MULTILINE))
    found = 0
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            found = 1 if _blank(node) else 2
        elif isinstance(node, ast.Assign | ast.ImportFrom | ast.Import | ast.If | ast.Try):
            names = [
                n.id
                for n in ast.walk(node)
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            ]
            names += [
                a.asname or a.name
                for n in ast.walk(node)
                if isinstance(n, ast.ImportFrom | ast.Import)
                for a in n.names
            ]
            names += [
                n.name for n in ast.walk(node) if isinstance(n, ast.ClassDef | ast.FunctionDef)
            ]
            found = max(found, 2 * (name in names))
    return found


def _blank(node) -> bool:
    """Whether nothing was written: some body still raises NotImplementedError and no more."""
    functions = [n for n in ast.walk(node) if isinstance(n, ast.FunctionDef)]
    bodies = [[s for s in f.body if not isinstance(s, ast.Expr)] for f in functions]
    unwritten = [
        b
        for b in bodies
        if len(b) == 1
        and isinstance(b[0], ast.Raise)
        and "NotImplementedError" in ast.unparse(b[0])
    ]
    return bool(unwritten) and len(unwritten) == len(functions)


def parsed(text: str):
    """The syntax tree, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "latin-1"):
        try:
            return content.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    return ""


def _python(name: str, content: bytes) -> Document:
    """A file, cut where a line such as `# exercise: relu` begins another exercise."""
    text, cells, owner = _text(content), [], None
    marks = [(m.start(), m.group(1)) for m in re.finditer(MARK, text, re.MULTILINE)]
    starts = [0, *(start for start, _ in marks)]
    for start, end, owner in zip(
        starts, [*starts[1:], len(text)], [None, *(o for _, o in marks)], strict=True
    ):
        # Empty lines in front keep the numbers of the lines.
        part = "\n" * text.count("\n", 0, start) + text[start:end]
        if part.strip():
            cells.append((name, part, owner))
    return _read(name, cells, [])


def _notebook(name: str, content: bytes) -> Document:
    remarks, cells, owner = [], [], None
    try:
        found = json.loads(_text(content))["cells"]
        found = [cell for cell in found if isinstance(cell, dict)]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Document(name, (), (f"{name} is no notebook that can be read",))
    number = 0
    for cell in found:
        text = cell.get("source", "")
        text = "".join(map(str, text)) if isinstance(text, list) else str(text)
        if cell.get("cell_type") != "code":
            if mark := re.search(r"^#+ .*\(`(\w+)`\)", text):
                owner = mark.group(1)
            continue
        number += 1
        about = cell.get("metadata", {})
        about = about.get("nbgrader", {}) if isinstance(about, dict) else {}
        about = about if isinstance(about, dict) else {}
        if about.get("grade") and not about.get("solution"):
            continue
        mine = str(about.get("grade_id", "")).removesuffix("-solution") or owner
        cells.append((f"cell {number} of {name}", _magic_free(text), mine))
    return _read(name, cells, remarks)


def _magic_free(text: str) -> str:
    """A cell without what only Jupyter understands."""
    if text.lstrip().startswith("%%"):
        return ""
    lines = []
    for line in text.splitlines():
        bare = line.lstrip()
        magic = bare.startswith(("%", "!")) or bare.rstrip().endswith("?")
        lines.append(line[: len(line) - len(bare)] + "pass" if magic else line)
    plain = "\n".join(lines)
    # A line that begins with % may go on an expression.
    return text if parsed(text) is not None else plain


def _read(name, cells, remarks) -> Document:
    """The document, with a remark on each cell that is no Python."""
    if sum(len(text) for _, text, _ in cells) > LETTERS:
        return Document(name, (), (f"{name} is longer than anybody writes, and was left out",))
    wrong = [(label, _wrong(text)) for label, text, _ in cells if parsed(text) is None]
    remarks += [f"{label} was left out: {what}" for label, what in wrong]
    return Document(name, tuple(cells), tuple(remarks))


def _wrong(text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:
        return f"cannot be read as Python ({type(error).__name__})"
    return ""
