"""A data set on disk: one folder of plain NumPy files, made once, opened in a moment.

=====================  =====================  ====================================
train_images.npy       (N, H, W, 3) uint8     RGB pictures, memory-mapped
train_labels.npy       (N,) integers          0 ... M-1
test_images.npy        (N, H, W, 3) uint8     pictures never trained on
test_labels.npy        (N,) integers          0 ... M-1
mean_image.npy         (H, W, 3) float32      the mean training picture, 0 ... 255
meta.json              format, classes, mean (R, G, B), source, counts, colours, checksums
checksums.npy          (N,) uint32            CRC-32 of each picture, training ones first
=====================  =====================  ====================================

Decoding JPEG files costs more than a training step on small pictures, so it is done once and not
once an epoch. Uncompressed arrays can be memory-mapped: a set larger than the memory opens at once,
and the operating system keeps in memory what is being used.

The small files are checked against their checksums whenever the set is opened, the pictures, which
may be 250 GB, when somebody asks for it (`demand_intact`).
"""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minialexnet.data.mapped import forget
from minialexnet.data.statistics import Colours
from minialexnet.errors import InputError, reading

FORMAT = 1
ARRAYS = (
    "train_images.npy",
    "train_labels.npy",
    "test_images.npy",
    "test_labels.npy",
    "mean_image.npy",
)
META = "meta.json"
CHECKSUMS = "checksums.npy"
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
    colours : how the colours of the training pictures vary; None if nobody measured it
    """

    train: Split
    test: Split
    classes: tuple[str, ...]
    mean: np.ndarray
    source: str
    colours: Colours | None = None


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
    for name in (*ARRAYS, META):
        if not (folder / name).is_file():
            raise InputError(
                f"{folder}: not a prepared data set, {name} is missing; "
                "`minialexnet prepare` makes one"
            )
    meta = _meta(folder / META)
    train = _split(folder, "train", len(meta["classes"]))
    test = _split(folder, "test", len(meta["classes"]))
    size = train.images.shape[1:]
    if test.images.shape[1:] != size:
        raise InputError(
            f"{folder}: training pictures are {size}, test pictures {test.images.shape[1:]}"
        )
    counts = {"train": len(train.images), "test": len(test.images)}
    if meta["counts"] != counts:
        raise InputError(f"{folder / META}: counts say {meta['counts']}, the arrays hold {counts}")
    mean = _array(folder / "mean_image.npy")
    if mean.shape != size or mean.dtype != np.float32:
        raise InputError(
            f"{folder / 'mean_image.npy'}: expected {size} float32, got {mean.shape} {mean.dtype}"
        )
    if not (np.min(mean) >= 0 and np.max(mean) <= 255):
        raise InputError(f"{folder / 'mean_image.npy'}: expected values 0 ... 255")
    for name, checksum in meta.get("checksums", {}).items():
        _demand_checksum(folder / name, checksum)
    colours = _colours(folder / META, meta)
    return Dataset(train, test, tuple(meta["classes"]), np.array(mean), meta["source"], colours)


def demand_intact(
    folder: str | Path, progress: Callable[[int], None] = lambda pictures: None
) -> int:
    """Compare every picture of a prepared folder with its checksum.

    Parameters
    ----------
    progress : is told 0, then how many more pictures were compared

    Returns
    -------
    how many pictures there are

    Raises
    ------
    InputError
        If the folder is broken, a picture is not what it was when it was written, or nobody wrote
        down any checksums.
    """
    folder = Path(folder)
    data = prepared(folder)
    if not (folder / CHECKSUMS).is_file():
        raise InputError(f"{folder}: prepared without checksums, its pictures cannot be checked")
    wanted = _array(folder / CHECKSUMS)
    count = len(data.train.labels) + len(data.test.labels)
    if wanted.shape != (count,):
        raise InputError(f"{folder / CHECKSUMS}: expected ({count},), got {wanted.shape}")
    place = 0
    progress(0)
    for name, split in (("train", data.train), ("test", data.test)):
        for number, image in enumerate(split.images):
            if zlib.crc32(np.ascontiguousarray(image)) != wanted[place]:
                raise InputError(
                    f"{folder / name}_images.npy: picture {number} is damaged (its checksum is "
                    "another): prepare the data set again"
                )
            place += 1
            progress(1)
            if number % 1024 == 0:
                forget(split.images)
    return count


def meta_checksum(meta: dict) -> int:
    """The CRC-32 of what meta.json says, apart from this checksum itself."""
    rest = {key: value for key, value in meta.items() if key != "checksum"}
    return zlib.crc32(json.dumps(rest, sort_keys=True).encode())


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
    # Sets made by other tools need none of what follows.
    if "checksum" in meta and meta["checksum"] != meta_checksum(meta):
        raise InputError(f"{path}: damaged (its checksum is another)")
    if not isinstance(meta.get("checksums", {}), dict):
        raise InputError(f"{path}: expected checksums to be numbers by file name")
    return meta


def _demand_checksum(path: Path, checksum) -> None:
    if path.name not in (*ARRAYS, CHECKSUMS) or not path.is_file():
        raise InputError(f"{path.parent / META}: speaks of {path.name!r}, which is not there")
    if zlib.crc32(path.read_bytes()) != checksum:
        raise InputError(f"{path}: damaged (its checksum is another)")


def _colours(path: Path, meta: dict) -> Colours | None:
    if "colours" not in meta:
        return None
    try:
        deviations = np.array(meta["colours"]["deviations"], np.float64)
        directions = np.array(meta["colours"]["directions"], np.float64)
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"{path}: expected colours to be deviations and directions") from error
    if deviations.shape != (3,) or directions.shape != (3, 3):
        raise InputError(f"{path}: expected three colours, each with three numbers")
    if not (np.isfinite(deviations).all() and np.isfinite(directions).all()):
        raise InputError(f"{path}: expected colours to be numbers")
    return Colours(deviations, directions)


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
    with reading(f"{path}: broken file"):
        # Unlike np.load, open_memmap knows neither pickles nor zip files.
        return np.lib.format.open_memmap(path, mode="r")
