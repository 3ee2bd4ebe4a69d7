"""A data set on disk: one folder of plain NumPy files, made once, opened in a moment.

=====================  =====================  ====================================
train_images.npy       (N, H, W, 3) uint8     RGB pictures, memory-mapped
train_labels.npy       (N,) integers          0 ... M-1
test_images.npy        (N, H, W, 3) uint8     pictures never trained on
test_labels.npy        (N,) integers          0 ... M-1
mean_image.npy         (H, W, 3) float32      the mean training picture, 0 ... 255
meta.json              format, classes, mean (R, G, B), source, counts
=====================  =====================  ====================================

Decoding JPEG files costs more than a training step on small pictures, so it is done once and not
once an epoch. Uncompressed arrays can be memory-mapped: a set larger than the memory opens at once,
and the operating system keeps in memory what is being used.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minialexnet.errors import InputError

FORMAT = 1
FILES = (
    "train_images.npy",
    "train_labels.npy",
    "test_images.npy",
    "test_labels.npy",
    "mean_image.npy",
    "meta.json",
)
KEYS = ("format", "classes", "mean", "source", "counts")


@dataclass(frozen=True)
class Split:
    """Pictures and what they show.

    Parameters
    ----------
    images : (N, H, W, 3) uint8, possibly memory-mapped
    labels : (N,) int64, 0 ... M-1
    """

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Dataset:
    """Pictures to learn from, pictures to be tested on, and the names of their classes.

    Parameters
    ----------
    classes : M names, of label 0, of label 1 ...
    mean : (H, W, 3) float32, 0 ... 255, the mean training picture
    source : one line, where the pictures came from
    """

    train: Split
    test: Split
    classes: tuple[str, ...]
    mean: np.ndarray
    source: str


def mean_picture(images: np.ndarray) -> np.ndarray:
    """The mean of many pictures, pixel by pixel.

    Parameters
    ----------
    images : (N, H, W, 3) uint8, possibly memory-mapped

    Returns
    -------
    (H, W, 3) float32, 0 ... 255

    Notes
    -----
    Section 2 of the paper subtracts it from every input. The sums are of integers and therefore
    exact: unlike a running mean in floats, the result does not depend on how the pictures are cut
    into pieces.
    """
    total = np.zeros(images.shape[1:], np.uint64)
    for start in range(0, len(images), 256):
        total += images[start : start + 256].sum(axis=0, dtype=np.uint64)
    return (total / len(images)).astype(np.float32)


def prepared(folder: str | Path) -> Dataset:
    """The data set a prepared folder holds.

    Returns
    -------
    Dataset whose images are memory-mapped and read-only, and whose labels are in memory

    Raises
    ------
    InputError
        If the folder is missing, is not a prepared one, or holds something broken: a damaged file,
        a wrong shape or dtype, counts or picture sizes that disagree, labels outside 0 ... M-1,
        fewer than two classes.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; `minialexnet prepare` makes one")
    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(
                f"{folder}: not a prepared data set, {name} is missing; "
                "`minialexnet prepare` makes one"
            )
    meta = _meta(folder / "meta.json")
    train = _split(folder, "train", len(meta["classes"]))
    test = _split(folder, "test", len(meta["classes"]))
    size = train.images.shape[1:]
    if test.images.shape[1:] != size:
        raise InputError(
            f"{folder}: training pictures are {size}, test pictures {test.images.shape[1:]}"
        )
    counts = {"train": len(train.images), "test": len(test.images)}
    if meta["counts"] != counts:
        raise InputError(
            f"{folder / 'meta.json'}: counts say {meta['counts']}, the arrays hold {counts}"
        )
    mean = _array(folder / "mean_image.npy")
    if mean.shape != size or mean.dtype != np.float32:
        raise InputError(
            f"{folder / 'mean_image.npy'}: expected {size} float32, got {mean.shape} {mean.dtype}"
        )
    if not (np.min(mean) >= 0 and np.max(mean) <= 255):
        raise InputError(f"{folder / 'mean_image.npy'}: expected values 0 ... 255")
    return Dataset(train, test, tuple(meta["classes"]), np.array(mean), meta["source"])


def vacant(out: str | Path) -> Path:
    """The absolute path of a place where a new folder can go.

    Returns
    -------
    Path of nothing, or of an empty folder

    Raises
    ------
    InputError
        If something is already there. To be asked before hours of work, not after them.
    """
    out = Path(out).resolve()
    if out.is_dir() and any(out.iterdir()):
        raise InputError(f"{out} already holds files; choose another folder or remove it")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is already a file; choose another folder or remove it")
    return out


@contextmanager
def new_prepared(
    out: str | Path, *, train: int, test: int, size: int, classes: Sequence[str], source: str
) -> Iterator[tuple[Split, Split]]:
    """Two empty splits to fill, which become a prepared folder only when the block ends well.

    Parameters
    ----------
    out : folder to make: must not exist, or be empty; missing folders above it are made
    train, test : numbers of pictures
    size : rows, and columns, of a picture, pixels
    classes : M names
    source : one line, where the pictures came from

    Yields
    ------
    train and test, memory-mapped arrays of zeros

    Raises
    ------
    InputError
        If `out` already holds something, cannot be made, or the disk has no room for it.

    Notes
    -----
    All is written into a hidden folder next to `out`, which takes that name in one step after every
    byte has reached the disk: whoever finds `out` finds it complete.
    """
    out = vacant(out)
    draft = out.with_name(f".{out.name}-{secrets.token_hex(4)}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
    except OSError as error:
        raise InputError(f"{out} cannot be made: {error.strerror}") from error
    try:
        try:
            splits = (
                _new_split(draft, "train", (train, size, size, 3)),
                _new_split(draft, "test", (test, size, size, 3)),
            )
        except OSError as error:
            needed = (train + test) * size * size * 3 / 1e9
            raise InputError(f"{out} needs {needed:.3g} GB: {error.strerror}") from error
        yield splits
        _complete(draft, *splits, classes, source)
        draft.rename(out)
        _sync(out.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _meta(path: Path) -> dict:
    try:
        meta = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: broken file: {error}") from error
    if not isinstance(meta, dict):
        raise InputError(f"{path}: expected a JSON object")
    for key in KEYS:
        if key not in meta:
            raise InputError(f"{path}: {key!r} is missing")
    if meta["format"] != FORMAT:
        raise InputError(f"{path}: expected format {FORMAT}, got {meta['format']!r}")
    classes = meta["classes"]
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise InputError(f"{path}: expected classes to be a list of names")
    if len(classes) < 2:
        raise InputError(f"{path}: expected two classes or more, got {len(classes)}")
    if not isinstance(meta["source"], str):
        raise InputError(f"{path}: expected source to be text")
    return meta


def _split(folder: Path, name: str, classes: int) -> Split:
    images = _array(folder / f"{name}_images.npy")
    if images.ndim != 4 or images.shape[3] != 3 or images.size == 0 or images.dtype != np.uint8:
        raise InputError(
            f"{folder / name}_images.npy: expected (N, H, W, 3) uint8, "
            f"got {images.shape} {images.dtype}"
        )
    labels = _array(folder / f"{name}_labels.npy")
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise InputError(
            f"{folder / name}_labels.npy: expected (N,) integers, got {labels.shape} {labels.dtype}"
        )
    if len(labels) != len(images):
        raise InputError(f"{folder}: {len(images)} {name} images, but {len(labels)} labels")
    for label in (labels.min(), labels.max()):
        if not 0 <= label < classes:
            raise InputError(
                f"{folder / name}_labels.npy: expected labels 0 ... {classes - 1}, got {label}"
            )
    return Split(images, np.array(labels, np.int64))


def _array(path: Path) -> np.ndarray:
    try:
        # Unlike np.load, open_memmap knows neither pickles nor zip files.
        return np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # a broken header makes its parser raise almost anything
        raise InputError(f"{path}: broken file: {error}") from error


def _new_split(folder: Path, name: str, shape: tuple[int, ...]) -> Split:
    return Split(
        _zeros(folder / f"{name}_images.npy", shape, np.uint8),
        _zeros(folder / f"{name}_labels.npy", shape[:1], np.int64),
    )


def _zeros(path: Path, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    # A mapped file takes its place on the disk page by page as it is written, and where there is
    # none left the process is killed. Reserving all of it makes that an error, and an early one.
    # macOS has no such call.
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array


def _complete(folder: Path, train: Split, test: Split, classes: Sequence[str], source: str) -> None:
    for array in (train.images, train.labels, test.images, test.labels):
        array.flush()
    mean = mean_picture(train.images)
    np.save(folder / "mean_image.npy", mean)
    meta = {
        "format": FORMAT,
        "classes": list(classes),
        "mean": mean.mean(axis=(0, 1), dtype=np.float64).tolist(),
        "source": source,
        "counts": {"train": len(train.images), "test": len(test.images)},
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")
    for name in FILES:
        _sync(folder / name)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
