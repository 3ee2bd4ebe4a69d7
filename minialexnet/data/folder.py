"""Pictures in folders, one folder a class.

    src/train/<class>/*.jpg, *.jpeg or *.png
    src/test/<class>/...    or src/val/<class>/...

Classes are numbered in the alphabetical order of their folders.
"""

import os
from pathlib import Path

import numpy as np

from minialexnet.data.source import FolderPictures, Source
from minialexnet.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png")


def folder_source(src: str | Path) -> Source:
    """The pictures in a tree of class folders.

    Parameters
    ----------
    src : folder that holds train, and test or val

    Raises
    ------
    InputError
        If `src` is not such a tree, its training and test classes differ, or a class has no
        pictures.

    Notes
    -----
    Files with other endings, and hidden ones, are left out.
    """
    src = Path(src)
    train, test = _folder(src, "train"), _folder(src, "test", "val")
    classes = class_names(train)
    demand_same_classes(src, classes, class_names(test))
    parts = [in_class_folders(folder, classes) for folder in (train, test)]
    found = [
        f"{folder}: {len(part.labels):,} pictures of {len(classes):,} classes"
        for folder, part in zip((train, test), parts, strict=True)
    ]
    return Source(f"pictures in {src}", tuple(found), classes, *parts)


def class_names(folder: Path) -> tuple[str, ...]:
    """The folders in a folder, in alphabetical order; InputError unless there are two or more."""
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name[0] != ".")
    if len(classes) < 2:
        raise InputError(f"{folder}: expected one folder a class, two or more, got {len(classes)}")
    return tuple(classes)


def demand_same_classes(src: Path, train, test) -> None:
    """Raise InputError if a class is in one of the two alone."""
    for having, lacking, name in ((train, test, "test"), (test, train, "training")):
        missing = [c for c in having if c not in lacking]
        if missing:
            raise InputError(f"{src}: classes without {name} pictures: {some(missing)}")


def some(names: list[str]) -> str:
    """The first names of a list that may be long."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def in_class_folders(folder: Path, classes) -> FolderPictures:
    """The pictures of these classes: class after class, each in alphabetical order."""
    names = [picture_names(folder / name) for name in classes]
    labels = np.repeat(np.arange(len(classes)), [len(part) for part in names])
    folders = tuple(str(folder / name) for name in classes)
    return FolderPictures(np.concatenate(names), labels, folders, labels)


def picture_names(folder: Path) -> np.ndarray:
    """The names of the picture files in a folder, (N,) bytes, in alphabetical order.

    Raises
    ------
    InputError
        If there are none.
    """
    with os.scandir(folder) as entries:
        names = sorted(
            os.fsencode(entry.name)
            for entry in entries
            # Hidden ones such as ._0001.jpg are notes of the operating system, not pictures.
            if entry.name.lower().endswith(SUFFIXES) and entry.name[0] != "." and entry.is_file()
        )
    if not names:
        raise InputError(f"{folder}: expected pictures ({', '.join(SUFFIXES)}), got none")
    return np.array(names)


def _folder(src: Path, *names: str) -> Path:
    """The one folder in `src` that has one of the names."""
    if not src.is_dir():
        raise InputError(f"{src}: no such folder")
    found = [src / name for name in names if (src / name).is_dir()]
    if not found:
        raise InputError(f"{src}: expected a folder {' or '.join(names)} in it, got none")
    if len(found) > 1:
        raise InputError(f"{src}: expected a folder {' or '.join(names)} in it, got both")
    return found[0]
