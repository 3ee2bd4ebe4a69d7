"""A prepared data set from folders of pictures, one folder a class.

    src/train/<class>/*.jpg, *.jpeg or *.png
    src/test/<class>/...    or src/val/<class>/...

Classes are numbered in the alphabetical order of their folders. For ImageNet that is the order of
the synset names (n01440764 is class 0), as in most published networks, though not in cuda-convnet,
which follows the ILSVRC2012_ID of the development kit.
"""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm import tqdm

from minialexnet.data.picture import pixels, square
from minialexnet.data.prepared import Dataset, new_prepared, prepared, vacant
from minialexnet.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png")
SMALLEST, LARGEST = 8, 1024  # pixels
ROUND = 4096  # pictures


def prepare_folder(
    src: str | Path, out: str | Path, size: int = 32, processes: int | None = None
) -> Dataset:
    """The data set of a tree of class folders, prepared in the new folder `out`.

    Parameters
    ----------
    src : folder that holds train, and test or val
    out : folder to make: must not exist, or be empty
    size : side of the squares that all pictures become, pixels
    processes : how many decode at the same time; None is one a processor, 1 is this one alone

    Raises
    ------
    InputError
        If `src` is not such a tree, its training and test classes differ, a class has no pictures,
        a picture is broken, or `size`, `processes` or `out` cannot be used.

    Notes
    -----
    The result does not depend on `processes`. Files with other endings, and hidden ones, are left
    out. Processes are started afresh, so a script that calls this at its top level needs the usual
    ``if __name__ == "__main__":``, or ``processes=1``.
    """
    src = Path(src)
    processes = processes if processes is not None else os.cpu_count() or 1
    if processes < 1:
        raise InputError(f"expected 1 process or more, got {processes}")
    if not SMALLEST <= size <= LARGEST:
        raise InputError(f"expected a size of {SMALLEST} ... {LARGEST} pixels, got {size}")
    out = vacant(out)
    train, test = _class_files(_folder(src, "train")), _class_files(_folder(src, "test", "val"))
    _check_classes(src, train, test)
    paths = [path for files in (*train.values(), *test.values()) for path in files]
    count = sum(map(len, train.values()))
    with new_prepared(
        out,
        train=count,
        test=len(paths) - count,
        size=size,
        classes=list(train),
        source=f"pictures in {src}",
    ) as splits:
        for split, files in zip(splits, (train, test), strict=True):
            split.labels[:] = np.repeat(np.arange(len(files)), [len(f) for f in files.values()])
        squares = tqdm(_squares(paths, size, processes), "pictures", len(paths), disable=None)
        for i, picture in enumerate(squares):
            split, place = (splits[0], i) if i < count else (splits[1], i - count)
            split.images[place] = picture
    return prepared(out)


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


def _class_files(folder: Path) -> dict[str, list[Path]]:
    """For every class, in alphabetical order, its picture files, in alphabetical order."""
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name[0] != ".")
    if len(classes) < 2:
        raise InputError(f"{folder}: expected one folder a class, two or more, got {len(classes)}")
    return {name: _pictures(folder / name) for name in classes}


def _pictures(folder: Path) -> list[Path]:
    paths = sorted(
        path
        for path in folder.iterdir()
        # Hidden ones such as ._0001.jpg are notes of the operating system, not pictures.
        if path.suffix.lower() in SUFFIXES and path.name[0] != "." and path.is_file()
    )
    if not paths:
        raise InputError(f"{folder}: expected pictures ({', '.join(SUFFIXES)}), got none")
    return paths


def _check_classes(src: Path, train: dict, test: dict) -> None:
    for having, lacking, name in ((train, test, "test"), (test, train, "training")):
        missing = [c for c in having if c not in lacking]
        if missing:
            raise InputError(f"{src}: classes without {name} pictures: {_some(missing)}")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _square_of(path: Path, size: int) -> np.ndarray:
    return square(pixels(path), size)


def _squares(paths: list[Path], size: int, processes: int) -> Iterator[np.ndarray]:
    """The square of every picture, (size, size, 3) uint8, in the order of the paths."""
    square_of = partial(_square_of, size=size)
    if processes == 1:
        yield from map(square_of, paths)
        return
    with ProcessPoolExecutor(
        processes,
        # A fork would copy this process without the threads its libraries rely on.
        get_context("spawn"),
        # Ctrl-C reaches the whole group; this process alone answers it.
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    ) as pool:
        # What is decoded waits in memory until it is asked for. Rounds limit how much can wait
        # for a slow disk.
        for start in range(0, len(paths), ROUND):
            yield from pool.map(square_of, paths[start : start + ROUND], chunksize=64)
