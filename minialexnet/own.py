"""Layers of one's own, from a file: they take the place of the library's of the same name."""

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minialexnet.errors import InputError
from minialexnet.networks.kinds import layer_kinds


def definitions(path: Path) -> dict:
    """The classes and functions that a Python file defines itself, by name.

    Raises
    ------
    InputError
        If there is no such file, or Python cannot run it.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file of layers")
    # The name is of the file's own, so that it hides no module.
    name = f"own_layers_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_loader(name, loader=None, origin=str(path))
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    sys.modules[name] = module
    with blamed_on(path):
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    return {
        key: value
        for key, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", None) == name
    }


def own_layers(path: Path) -> dict[str, type]:
    """The classes of a file that take the place of a layer of the library, by name.

    Raises
    ------
    InputError
        As `definitions`, and if there is none.
    """
    known = vars(layer_kinds())
    found = {
        key: value
        for key, value in definitions(path).items()
        if key in known and isinstance(value, type)
    }
    if not found:
        raise InputError(f"{path}: no class has the name of a layer: {', '.join(known)}")
    return found


def fingerprint(code: bytes) -> str:
    """What tells one version of a file from another."""
    return hashlib.sha256(code).hexdigest()


@contextmanager
def blamed_on(path: Path | None) -> Iterator[None]:
    """Let what is raised in that file become an InputError that names the line.

    Parameters
    ----------
    path : the file; None lets everything through
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        # Where a picture's size is blamed for a ValueError, the layer may be at fault all the same.
        first = error.__cause__ if isinstance(error, InputError) else error
        words = None if path is None or first is None else _blame(path, first)
        if words is None:
            raise
        raise InputError(words) from error


def _blame(path: Path, error: BaseException) -> str | None:
    """The error in words that begin with the file; None if it has nothing to do with the file."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}, line {error.lineno}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    notes = getattr(error, "__notes__", [])[:1]
    if not lines and not notes:
        return None
    said = " ".join([f"{type(error).__name__}: {error}".rstrip(": "), *notes])
    if isinstance(error, NotImplementedError):
        said = " ".join(["not written yet", *notes])
    if lines:
        return f"{path}, line {lines[-1]}: {said}"
    return f"{path}: {said} (does every layer of the file return (y, cache) and (dx, grads)?)"
