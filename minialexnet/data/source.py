"""Where pictures to prepare come from: what they are called, what they show, how they are read."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

# Pictures that a process decodes before it reports.
JOB = 64


class Reader(Protocol):
    """Some pictures: each with a name for messages, and its content. It travels to a process."""

    def __iter__(self) -> Iterator[tuple[str, bytes]]: ...


class Pictures(Protocol):
    """The pictures of one split, in the order in which they are to stand on the disk.

    names : (N,) bytes, by which they are sorted
    labels : (N,) int64
    readers() yields (indices, reader): which of them can be read together, and how. Together they
    are all of them, in the same groups every time.
    """

    names: np.ndarray
    labels: np.ndarray

    def readers(self) -> Iterator[tuple[np.ndarray, Reader]]: ...


@dataclass(frozen=True)
class Source:
    """Pictures to prepare.

    Parameters
    ----------
    about : one line, what they are
    found : lines that say what was found where
    classes : M names, of label 0, of label 1 ...
    """

    about: str
    found: tuple[str, ...]
    classes: tuple[str, ...]
    train: Pictures
    test: Pictures

    def fingerprint(self) -> str:
        """The same for the same pictures, whatever holds them: of names, labels and classes."""
        digest = hashlib.sha256("\n".join(self.classes).encode())
        for part in (self.train, self.test):
            digest.update(f"\n{len(part.labels)}\n".encode())
            for start in range(0, len(part.labels), 4096):
                digest.update(b"\n".join(part.names[start : start + 4096].tolist()) + b"\n")
            digest.update(part.labels.astype("<i8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Files:
    """A reader of pictures that are files."""

    paths: tuple[bytes, ...]

    def __iter__(self):
        for path in map(os.fsdecode, self.paths):
            with open(path, "rb") as file:
                yield path, file.read()


@dataclass(frozen=True)
class FolderPictures:
    """Pictures that lie in folders.

    Parameters
    ----------
    names, labels : as of `Pictures`
    folders : paths, and for each picture in which of them it is, (N,)
    """

    names: np.ndarray
    labels: np.ndarray
    folders: tuple[str, ...]
    where: np.ndarray

    def readers(self):
        folders = [os.fsencode(folder) for folder in self.folders]
        for start in range(0, len(self.names), JOB):
            some = np.arange(start, min(start + JOB, len(self.names)))
            paths = (
                os.path.join(folders[where], name)
                for where, name in zip(
                    self.where[some].tolist(), self.names[some].tolist(), strict=True
                )
            )
            yield some, Files(tuple(paths))
