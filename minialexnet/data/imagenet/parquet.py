"""ImageNet as Hugging Face keeps it: parquet files, each with some thousand pictures."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minialexnet.data.imagenet.labels import VALIDATION
from minialexnet.data.source import JOB
from minialexnet.errors import InputError, reading

# n01440764_10026.JPEG, or with the class added once more: n01440764_10026_n01440764.JPEG.
TRAINING = re.compile(r"((?P<wnid>n\d{8})_\w+?)(?:_n\d{8})?\.JPEG", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Rows:
    """A reader of pictures that are rows of a parquet file: of one of its groups, in its order."""

    path: str
    group: int
    names: tuple[bytes, ...]

    def __iter__(self):
        file = _opened(Path(self.path))
        names = iter(self.names)
        with reading(f"{self.path}: broken parquet file"):
            # Some at a time: a group may hold gigabytes.
            for batch in file.iter_batches(JOB, row_groups=[self.group], columns=["image.bytes"]):
                for picture in batch.column("image").field("bytes"):
                    name = next(names).decode(errors="replace")
                    yield f"{self.path}: {name}", picture.as_py() or b""
            if missing := list(names):
                raise ValueError(f"{len(missing)} rows are missing")


@dataclass(frozen=True)
class ParquetPictures:
    """Pictures in parquet files, sorted by name; the files hold them in another order.

    Parameters
    ----------
    names, labels : as of `Pictures`
    groups : for each group of rows, its file, its number in the file, its first row among all
    places : (N,) where each row stands among the sorted pictures
    """

    names: np.ndarray
    labels: np.ndarray
    groups: tuple[tuple[Path, int, int], ...]
    places: np.ndarray

    def readers(self):
        ends = [first for _, _, first in self.groups[1:]] + [len(self.places)]
        for (path, group, first), end in zip(self.groups, ends, strict=True):
            some = self.places[first:end]
            yield some, Rows(str(path), group, tuple(self.names[some].tolist()))


@dataclass(frozen=True)
class Table:
    """All rows of some files, in the files' order, without the pictures.

    Parameters
    ----------
    names : (N,) bytes, as the official archives call the pictures
    labels : (N,) int64, the files' own
    wnids : (N,) bytes, the WordNet IDs in the names; empty where there is none
    groups : as of `ParquetPictures`
    """

    names: np.ndarray
    labels: np.ndarray
    wnids: np.ndarray
    groups: tuple[tuple[Path, int, int], ...]

    def pictures(self, labels: np.ndarray) -> ParquetPictures:
        """The pictures with these labels, sorted by name, which begins with the class."""
        order = np.argsort(self.names, kind="stable")
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        return ParquetPictures(self.names[order], labels[order], self.groups, places)


def parquet_source(train: list[Path], validation: list[Path]):
    """The classes and the pictures of both splits.

    Returns
    -------
    WordNet IDs of the classes, training pictures, validation pictures

    Raises
    ------
    InputError
        If a file is broken, or which class a label means cannot be told from the names of the
        training pictures.
    """
    first, second = _table(train, TRAINING), _table(validation, VALIDATION)
    classes = np.unique(first.wnids)
    # A label means the class that the names of its training pictures say.
    meaning = {}
    for label in np.unique(first.labels).tolist():
        shown = np.unique(first.wnids[first.labels == label])
        if len(shown) > 1:
            raise InputError(
                f"{train[0].parent}: label {label} stands for {shown[0].decode()} and for "
                f"{shown[1].decode()}"
            )
        meaning[label] = np.searchsorted(classes, shown[0])
    unknown = set(np.unique(second.labels).tolist()) - meaning.keys()
    if unknown:
        raise InputError(
            f"{validation[0].parent}: validation pictures have the label {min(unknown)}, which no "
            "training picture has"
        )
    shown = np.array([meaning[label] for label in second.labels.tolist()])
    odd = np.flatnonzero((second.wnids != b"") & (second.wnids != classes[shown]))
    if len(odd):
        raise InputError(
            f"{validation[0].parent}: {second.names[odd[0]].decode()} shows "
            f"{second.wnids[odd[0]].decode()} by its name, {classes[shown[odd[0]]].decode()} by "
            "its label"
        )
    names = tuple(wnid.decode() for wnid in classes.tolist())
    return names, first.pictures(np.searchsorted(classes, first.wnids)), second.pictures(shown)


def _table(paths: list[Path], pattern: re.Pattern) -> Table:
    columns, groups, count = [], [], 0
    for path in paths:
        file = _opened(path)
        for group in range(file.num_row_groups):
            columns.append(_rows(path, file, group, pattern))
            groups.append((path, group, count))
            count += len(columns[-1][0])
    if not count:
        raise InputError(f"{paths[0].parent}: expected pictures, got none")
    names, labels, wnids = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    in_order = np.sort(names)
    if (in_order[1:] == in_order[:-1]).any():
        twice = in_order[:-1][in_order[1:] == in_order[:-1]][0]
        raise InputError(f"{paths[0].parent}: {twice.decode()} is there twice")
    return Table(names, labels, wnids, tuple(groups))


def _rows(path: Path, file, group: int, pattern: re.Pattern):
    """Names, labels and WordNet IDs of a group of rows."""
    with reading(f"{path}: broken parquet file"):
        rows = file.read_row_group(group, columns=["image.path", "label"])
        called = rows.column("image").combine_chunks().field("path").to_pylist()
        labels = rows.column("label").to_pylist()
        matches = [pattern.fullmatch(Path(name or "").name) for name in called]
    for name, label, match in zip(called, labels, matches, strict=True):
        if match is None or not isinstance(label, int):
            raise InputError(
                f"{path}: expected names such as n01440764_10026.JPEG or "
                f"ILSVRC2012_val_00000001.JPEG, and labels, got {name!r} and {label!r}"
            )
    names = [f"{match[1]}.JPEG" for match in matches]
    wnids = [match["wnid"] or "" for match in matches]
    return np.array(names, "S"), np.array(labels, np.int64), np.array(wnids, "S9")


def _opened(path: Path):
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            f'{path}: reading parquet takes pyarrow: pip install "minialexnet[parquet]"'
        ) from error
    with reading(f"{path}: broken parquet file"):
        return pyarrow.parquet.ParquetFile(path)
