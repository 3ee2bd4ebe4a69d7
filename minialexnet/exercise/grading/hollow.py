"""A copy of the library without the answer to an exercise, for the process of a submission."""

import ast
import shutil
from pathlib import Path

import minialexnet

# Where else than under its own name the answer to an exercise can be found. A path means all that
# the file defines.
ELSEWHERE = {
    "softmax_loss": ("loss.py",),
    "conv2d_forward": ("layers/winograd.py", "layers/local.py"),
    "conv2d_backward": ("layers/winograd.py", "layers/local.py"),
    "crops": ("data/augment.py", "data/crops.py", "data/input.py"),
    "alexnet": ("networks/",),
}
LEFT_OUT = ("exercise/", "bench/", "commands/", "pretrained/", "weights/", "__main__.py")
STUB = '''"""Marks are given elsewhere."""

names = ()
EXERCISES = {}


def check(*args, **kwargs) -> float:
    return 0.0


def hint(*args, **kwargs) -> None:
    pass


def results(*args, **kwargs) -> list:
    return []
'''


def package() -> Path:
    """The folder of the library."""
    return Path(minialexnet.__file__).parent


def write(folder: Path, exercise=None) -> None:
    """Write what a submission's process needs into a folder: its program, and the library.

    Parameters
    ----------
    exercise : the `Exercise` whose answer is left out of the library
    """
    for name in ("child.py", "wire.py"):
        shutil.copyfile(Path(__file__).parent / name, folder / name)
    name = exercise.name if exercise else ""
    wanted = {exercise.provides} if exercise else set()
    given = imported(exercise.stub) if exercise else set()
    for path in sorted(package().rglob("*.py")):
        inside = path.relative_to(package()).as_posix()
        if inside.startswith(LEFT_OUT):
            continue
        source = path.read_text(encoding="utf-8")
        whole = inside.startswith(ELSEWHERE.get(name, ()))
        place = folder / "minialexnet" / inside
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(hollowed(source, wanted, given, whole), encoding="utf-8")
    stub = folder / "minialexnet" / "exercise" / "__init__.py"
    stub.parent.mkdir()
    stub.write_text(STUB, encoding="utf-8")
    for path in (folder, *folder.rglob("*")):
        # The process may have another user.
        path.chmod(0o755 if path.is_dir() else 0o644)


def imported(source: str) -> set[str]:
    """The names that a source imports from the library."""
    return {
        alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minialexnet")
        for alias in node.names
    }


def hollowed(source: str, wanted: set[str], given: set[str], whole: bool = False) -> str:
    """The source with empty bodies in what is wanted, and in the file's private helpers.

    Comments go, docstrings stay.

    Parameters
    ----------
    wanted : names of what is asked for
    given : names that the student has from the library
    whole : leave out all that is not given
    """
    tree = ast.parse(source)
    kinds = ast.FunctionDef | ast.ClassDef
    if not whole and not any(isinstance(n, kinds) and n.name in wanted for n in tree.body):
        return source
    for node in tree.body:
        if not isinstance(node, kinds) or node.name in given - wanted:
            continue
        if whole or node.name in wanted or node.name[0] == "_":
            for function in ast.walk(node):
                if isinstance(function, ast.FunctionDef):
                    _emptied(function, node.name)
    return ast.unparse(tree)


def _emptied(function: ast.FunctionDef, name: str) -> None:
    said = f"{name} of minialexnet is not there when this exercise is marked: write your own"
    error = ast.parse(f"raise RuntimeError({said!r})").body
    text = ast.get_docstring(function, clean=False)
    function.body = [ast.Expr(ast.Constant(text)), *error] if text else error
    function.decorator_list = [
        one for one in function.decorator_list if isinstance(one, ast.Name | ast.Attribute)
    ]
