"""Writing prepared data sets: whoever finds one finds it complete."""

import json
import os
import secrets
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minialexnet.data.prepared import CHECKSUMS, FORMAT, META, Split, meta_checksum
from minialexnet.data.statistics import Sums, sums
from minialexnet.errors import InputError
from minialexnet.files import synced


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
    if out.is_mount():  # no other folder can take its place
        raise InputError(f"{out} is where a disk is mounted; choose a folder in it")
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
    byte has reached the disk.
    """
    out = vacant(out)
    draft = out.with_name(f".{out.name}-{secrets.token_hex(4)}")
    make_folder(draft, out)
    try:
        splits = new_arrays(draft, out, (train, test), size)
        yield splits
        for split in splits:
            split.images.flush()
        checksums = [zlib.crc32(image) for split in splits for image in split.images]
        complete(
            draft,
            *(split.labels for split in splits),
            classes,
            source,
            sums(splits[0].images),
            np.array(checksums, np.uint32),
        )
        take_place(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def make_folder(folder: Path, out: Path) -> None:
    """Make a folder, and those above it, for what is to become `out`; InputError if that fails."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except OSError as error:
        raise InputError(f"{out} cannot be made: {error.strerror}") from error


def new_arrays(folder: Path, out: Path, counts: tuple[int, int], size: int) -> tuple[Split, Split]:
    """Room for the pictures of both splits on the disk, and for their labels in memory.

    Raises
    ------
    InputError
        If the disk has no room for it; it names `out`.
    """
    try:
        return tuple(
            Split(
                _zeros(folder / f"{name}_images.npy", (count, size, size, 3)),
                np.zeros(count, np.int64),
            )
            for name, count in zip(("train", "test"), counts, strict=True)
        )
    except OSError as error:
        needed = sum(counts) * size * size * 3 / 1e9
        raise InputError(f"{out} needs {needed:.3g} GB: {error.strerror}") from error


def complete(
    folder: Path,
    train_labels: np.ndarray,
    test_labels: np.ndarray,
    classes: Sequence[str],
    source: str,
    measured: Sums,
    checksums: np.ndarray,
) -> None:
    """Write what a prepared folder has beside its pictures.

    Parameters
    ----------
    folder : has train_images.npy and test_images.npy
    measured : over the training pictures
    checksums : (N,) uint32, CRC-32 of each picture, training ones first
    """
    mean, colours = measured.mean(), measured.colours()
    arrays = {
        "train_labels.npy": train_labels,
        "test_labels.npy": test_labels,
        "mean_image.npy": mean,
        CHECKSUMS: checksums,
    }
    for name, array in arrays.items():
        np.save(folder / name, array)
    meta = {
        "format": FORMAT,
        "classes": list(classes),
        "mean": mean.mean(axis=(0, 1), dtype=np.float64).tolist(),
        "source": source,
        "counts": {"train": len(train_labels), "test": len(test_labels)},
        "colours": {
            "deviations": colours.deviations.tolist(),
            "directions": colours.directions.tolist(),
        },
        "checksums": {name: zlib.crc32((folder / name).read_bytes()) for name in arrays},
    }
    meta["checksum"] = meta_checksum(meta)
    (folder / META).write_text(json.dumps(meta, indent=1) + "\n")


def take_place(draft: Path, out: Path) -> None:
    """Let a finished folder become `out`, in one step, once all of it has reached the disk."""
    for path in draft.iterdir():
        synced(path)
    synced(draft)
    draft.rename(out)
    synced(out.parent)


def _zeros(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    # A mapped file takes its place on the disk page by page as it is written, and where there is
    # none left the process is killed. Reserving all of it makes that an error, and an early one.
    # macOS has no such call.
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array
