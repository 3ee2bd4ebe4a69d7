"""The official archives, read where they are: nothing is unpacked."""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minialexnet.data.imagenet.names import WNID
from minialexnet.data.source import JOB
from minialexnet.errors import InputError, reading

# The development kit's files have less than 1 MB; what has more is not one of them.
TEXT = 2**26


@dataclass(frozen=True)
class Slices:
    """A reader of pictures that are parts of one large file."""

    path: str
    names: tuple[bytes, ...]
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]

    def __iter__(self):
        with open(self.path, "rb") as file:
            for name, offset, size in zip(self.names, self.offsets, self.sizes, strict=True):
                file.seek(offset)
                yield f"{self.path}: {name.decode(errors='replace')}", file.read(size)


@dataclass(frozen=True)
class ArchivePictures:
    """Pictures in an archive that is not compressed: each has a place in it and a size, bytes."""

    names: np.ndarray
    labels: np.ndarray
    path: Path
    offsets: np.ndarray
    sizes: np.ndarray

    def readers(self):
        for start in range(0, len(self.names), JOB):
            some = np.arange(start, min(start + JOB, len(self.names)))
            columns = (tuple(c[some].tolist()) for c in (self.names, self.offsets, self.sizes))
            yield some, Slices(str(self.path), *columns)


def training_archive(path: Path) -> tuple[tuple[str, ...], ArchivePictures]:
    """The classes and the pictures of an archive that holds an archive for each class.

    Raises
    ------
    InputError
        If it is broken, or not such an archive.
    """
    tables = {}
    with _opened(path) as outer:
        for member in _members(outer, path):
            wnid, _, ending = member.name.removeprefix("./").partition(".")
            if not (_plain(member) and ending == "tar" and WNID.fullmatch(wnid)):
                raise _stranger(path, member, "the archive of a class, such as n01440764.tar")
            if wnid in tables:
                raise InputError(f"{path}: {member.name} is in it twice")
            with _opened(path, outer.extractfile(member)) as inner:
                places = _places(inner, f"{path}: {member.name}", f"{wnid}_")
            if not len(places[0]):
                raise InputError(f"{path}: {member.name} holds no pictures")
            _demand_within(path, member, places)
            tables[wnid] = places[0], places[1] + member.offset_data, places[2]
    if len(tables) < 2:
        raise InputError(f"{path}: expected two classes or more, got {len(tables)}")
    wnids = tuple(sorted(tables))
    names, offsets, sizes = (
        np.concatenate(columns) for columns in zip(*(tables[w] for w in wnids), strict=True)
    )
    labels = np.repeat(np.arange(len(wnids)), [len(tables[w][0]) for w in wnids])
    return wnids, ArchivePictures(names, labels, path, offsets, sizes)


def validation_archive(path: Path) -> ArchivePictures:
    """The pictures of the archive of validation pictures; their labels are all -1 so far."""
    with _opened(path) as archive:
        names, offsets, sizes = _places(archive, str(path), "ILSVRC")
    if not len(names):
        raise InputError(f"{path}: expected pictures, got none")
    return ArchivePictures(names, np.full(len(names), -1), path, offsets, sizes)


def texts(path: Path, *endings: str) -> dict[str, bytes]:
    """What is in those files of a compressed archive whose names end so, by ending."""
    found = {}
    with _opened(path, mode="r:*") as archive:
        for member in _members(archive, path):
            for ending in endings:
                if member.isreg() and f"/{member.name}".endswith(f"/{ending}"):
                    if member.size > TEXT:
                        raise InputError(f"{path}: {ending} has {member.size:,} bytes")
                    if ending in found:
                        raise InputError(f"{path}: {ending} is in it twice")
                    found[ending] = _read(archive, member, path)
    return found


def _read(archive: tarfile.TarFile, member: tarfile.TarInfo, path) -> bytes:
    with reading(f"{path}: broken archive"):
        return archive.extractfile(member).read()


def _opened(path: Path, file=None, mode: str = "r:") -> tarfile.TarFile:
    with reading(f"{path}: broken archive"):
        return tarfile.open(None if file else path, mode, file)


def _members(archive: tarfile.TarFile, path) -> Iterator[tarfile.TarInfo]:
    """The entries of an archive, one after the other, none of which is remembered."""
    while True:
        with reading(f"{path}: broken archive"):
            member = archive.next()
        if member is None:
            _demand_end(archive, path)
            return
        archive.members.clear()
        # It would lead back to the same entry, for ever.
        if member.size < 0:
            raise InputError(
                f"{path}: broken archive: {member.name[:100]!r} has {member.size} bytes"
            )
        if not member.isdir():
            yield member


def _demand_end(archive: tarfile.TarFile, path) -> None:
    """Raise InputError unless nothing but zeros follows: tarfile also stops at garbage."""
    with reading(f"{path}: broken archive"):
        archive.fileobj.seek(archive.offset)
        rest = archive.fileobj.read(tarfile.RECORDSIZE)
        ends = len(rest) >= tarfile.BLOCKSIZE
        while rest and ends:
            ends = not rest.strip(b"\0")
            rest = archive.fileobj.read(tarfile.RECORDSIZE)
    if not ends:
        raise InputError(f"{path}: broken archive: damaged or cut short at byte {archive.offset:,}")


def _places(archive: tarfile.TarFile, path: str, prefix: str):
    """Names, places and sizes of the pictures in an archive, sorted by name."""
    names, offsets, sizes = [], [], []
    picture = re.compile(re.escape(prefix) + r"[\w.-]+\.jpe?g", re.IGNORECASE | re.ASCII)
    for member in _members(archive, path):
        name = member.name.removeprefix("./")
        if not (_plain(member) and picture.fullmatch(name)):
            raise _stranger(path, member, f"pictures, such as {prefix}...JPEG")
        names.append(name.encode())
        offsets.append(member.offset_data)
        sizes.append(member.size)
    names = np.array(names, "S") if names else np.empty(0, "S1")
    order = np.argsort(names, kind="stable")
    if (names[order][1:] == names[order][:-1]).any():
        raise InputError(f"{path}: the same picture is in it twice")
    return names[order], np.array(offsets, np.int64)[order], np.array(sizes, np.int64)[order]


def _demand_within(path: Path, member: tarfile.TarInfo, places) -> None:
    """No picture of a class may reach beyond that class's archive."""
    names, offsets, sizes = places
    beyond = np.flatnonzero(offsets + sizes > member.size)
    if len(beyond):
        name = names[beyond[0]].decode(errors="replace")
        raise InputError(f"{path}: broken archive: {name} reaches beyond {member.name}")


def _stranger(path, member: tarfile.TarInfo, expected: str) -> InputError:
    what = "" if _plain(member) else " (no regular file)"
    return InputError(f"{path}: expected {expected}, got {member.name[:100]!r}{what}")


def _plain(member: tarfile.TarInfo) -> bool:
    """Whether all of a file stands in the archive as it is."""
    return member.isreg() and not member.issparse()
