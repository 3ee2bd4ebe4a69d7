"""A prepared data set in the making: a folder that remembers how far it has come.

=================  ==========================================================================
train_images.npy   room for all pictures, some of them not there yet; test_images.npy likewise
report.json        which pictures these are to become; later what was odd about them
ledger.npz         the jobs done, and the sums over their pictures
=================  ==========================================================================

The order of writing is what makes it safe to stop anywhere: pictures reach the disk first, then the
ledger says that they are there. A job that no ledger speaks of is done again, and writes the same
bytes to the same places.
"""

import errno
import io
import json
import os
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from minialexnet.data.prepared import ARRAYS
from minialexnet.data.source import Source
from minialexnet.data.statistics import Sums
from minialexnet.data.writing import complete, new_arrays, take_place
from minialexnet.errors import InputError
from minialexnet.files import synced, whole

REPORT = "report.json"
LEDGER = "ledger.npz"
ELSEWHERE = "move it, or choose another folder than the one next to it"


@dataclass
class Ledger:
    """What is done.

    Parameters
    ----------
    jobs : (jobs,) uint32, CRC-32 of the places of each job's pictures
    done : (jobs,) bool
    sums : over the training pictures of these jobs
    checksums : (N,) uint32, CRC-32 of each prepared picture, training ones first
    kinds : how many pictures came as "JPEG RGB", as "JPEG CMYK" ...
    broken : {place among all pictures: what is wrong with it}, of those that are left out
    """

    jobs: np.ndarray
    done: np.ndarray
    sums: Sums
    checksums: np.ndarray
    kinds: Counter = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        told = {"kinds": self.kinds, "broken": list(self.broken.items())}
        with whole(path) as file:
            np.savez(
                file,
                jobs=self.jobs,
                done=self.done,
                total=self.sums.total,
                cross=self.sums.cross,
                count=np.array(self.sums.count),
                checksums=self.checksums,
                told=np.array(json.dumps(told)),
            )

    @classmethod
    def load(cls, path: Path) -> "Ledger":
        """Raises almost anything if the file is damaged."""
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                raise ValueError("checksum")
        with np.load(path, allow_pickle=False) as arrays:
            told = json.loads(str(arrays["told"]))
            measured = Sums(arrays["total"], arrays["cross"], int(arrays["count"]))
            return cls(
                arrays["jobs"],
                arrays["done"],
                measured,
                arrays["checksums"],
                Counter(told["kinds"]),
                {int(place): reason for place, reason in told["broken"]},
            )


class Draft:
    """The folder in which a data set is being made, next to the place that it will take.

    It exists, and this process has it to itself.

    Parameters
    ----------
    source : the pictures
    out : the place that it will take
    size : side of a prepared picture, pixels
    jobs : (jobs,) uint32, as of `Ledger`
    """

    def __init__(self, source: Source, out: Path, size: int, jobs: np.ndarray):
        self.source, self.out, self.size = source, out, size
        self.folder = unfinished(out)
        self.plan = {
            "source": source.about,
            "fingerprint": source.fingerprint(),
            "size": size,
            "pictures": {"train": len(source.train.labels), "test": len(source.test.labels)},
        }
        self.counts = tuple(self.plan["pictures"].values())
        self.again = False
        if (self.folder / REPORT).is_file():
            self._demand_same()
            self.images = self._arrays()
            self.ledger = self._remembered(jobs)
        else:
            self._begin()
            self.ledger = self._blank(jobs)

    def _begin(self) -> None:
        names = {path.name for path in self.folder.iterdir()} - {*ARRAYS, REPORT, LEDGER}
        # A process that was killed while it wrote the report leaves a part of it.
        if strange := [name for name in names if not name.startswith(f".{REPORT}.")]:
            raise InputError(f"{self.folder} is in the way, it holds {min(strange)}: {ELSEWHERE}")
        # Without a report nothing was begun in earnest.
        self._clear()
        try:
            new_arrays(self.folder, self.out, self.counts, self.size)
        except InputError:
            self._clear()
            self.folder.rmdir()
            raise
        self.images = self._arrays()
        self._report({})

    def _clear(self) -> None:
        for path in self.folder.iterdir():
            path.unlink()

    def _demand_same(self) -> None:
        begun = read_report(self.folder)
        if {key: begun.get(key) for key in self.plan} == self.plan:
            return
        what = f"{begun.get('source')!r}, {begun.get('size')!r} pixels, {begun.get('pictures')!r}"
        raise InputError(
            f"{self.folder} was begun from other pictures, or for another size ({what}): "
            "remove it to begin anew"
        )

    def _arrays(self) -> list["Images"]:
        return [
            Images(self.folder / f"{name}_images.npy", count, self.size)
            for name, count in zip(("train", "test"), self.counts, strict=True)
        ]

    def _blank(self, jobs: np.ndarray) -> Ledger:
        total = np.zeros((self.size, self.size, 3), np.uint64)
        checksums = np.zeros(sum(self.counts), np.uint32)
        return Ledger(jobs, np.zeros(len(jobs), bool), Sums(total), checksums)

    def _remembered(self, jobs: np.ndarray) -> Ledger:
        path, blank = self.folder / LEDGER, self._blank(jobs)
        if not path.exists():
            return blank
        try:
            ledger = Ledger.load(path)
            fits = (
                np.array_equal(ledger.jobs, jobs)
                and ledger.done.shape == blank.done.shape
                and ledger.checksums.shape == blank.checksums.shape
                and ledger.sums.total.shape == blank.sums.total.shape
            )
        except Exception:  # a damaged file raises a dozen kinds
            fits = False
        # Nothing is lost but time.
        self.again = not fits
        return ledger if fits else blank

    def save(self) -> None:
        """Let all that was done so far be remembered."""
        for images in self.images:
            images.sync()
        self.ledger.save(self.folder / LEDGER)

    def report(self, broken: dict[int, str]) -> None:
        """Name kinds of pictures and broken ones, by their places, in report.json."""
        kinds = dict(sorted(self.ledger.kinds.items()))
        self._report({"kinds": kinds, "broken": [reason for _, reason in sorted(broken.items())]})

    def _report(self, more: dict) -> None:
        with whole(self.folder / REPORT) as file:
            file.write(json.dumps(self.plan | more, indent=1).encode() + b"\n")

    def finish(self) -> None:
        """Make the data set complete, without the broken pictures, and let it take its place.

        Notes
        -----
        Where a picture is missing the last ones of its split move in, so that few bytes have to
        be moved. Pictures are shuffled for training anyway.

        Raises
        ------
        InputError
            If a class has no training picture left.
        """
        self.report(self.ledger.broken)
        labels, checksums, kept = [], [], []
        first = 0
        for part in (self.source.train, self.source.test):
            count = len(part.labels)
            whole_ones = np.ones(count, bool)
            places = [place - first for place in self.ledger.broken]
            whole_ones[[place for place in places if 0 <= place < count]] = False
            taken = moved(whole_ones)
            labels.append(np.asarray(part.labels)[taken])
            checksums.append(self.ledger.checksums[first : first + count][taken])
            kept.append(taken)
            first += count
        empty = np.setdiff1d(np.arange(len(self.source.classes)), labels[0])
        if len(empty):
            raise self._all_broken(f"training pictures of {self.source.classes[empty[0]]}")
        if not len(labels[1]):
            raise self._all_broken("test pictures")
        for images, taken in zip(self.images, kept, strict=True):
            images.keep(taken)
        complete(
            self.folder,
            *labels,
            self.source.classes,
            self.source.about,
            self.ledger.sums,
            np.concatenate(checksums),
        )
        take_place(self.folder, self.out)
        tidy(self.out)

    def _all_broken(self, what: str) -> InputError:
        return InputError(
            f"{self.out}: all {what} are broken (see {self.folder / REPORT}): replace them, and "
            f"remove {self.folder} to begin anew"
        )


def tidy(out: Path) -> None:
    """Remove what a finished data set needs no more."""
    (out / LEDGER).unlink(missing_ok=True)


def moved(whole_ones: np.ndarray) -> np.ndarray:
    """Which picture stands where once the broken ones are gone.

    Parameters
    ----------
    whole_ones : (N,) bool, False for the broken

    Returns
    -------
    (n,) for each of the n whole pictures' places the place where its picture was: its own, or for
    the place of a broken one that of one from the end
    """
    count = int(whole_ones.sum())
    taken = np.arange(count)
    taken[~whole_ones[:count]] = np.flatnonzero(whole_ones[count:]) + count
    return taken


class Images:
    """The file of the pictures of one split, to be written in any order."""

    def __init__(self, path: Path, count: int, size: int):
        self.path, self.count, self.size = path, count, size
        self.header = _header(count, size)

    @property
    def bytes(self) -> int:
        """Of one picture."""
        return self.size * self.size * 3

    def offset(self, place: int) -> int:
        """Where in the file a picture begins."""
        return len(self.header) + place * self.bytes

    def write(self, descriptor: int, place: int, square: np.ndarray) -> None:
        """Write a picture to its place in the file, which is open."""
        try:
            written = os.pwrite(descriptor, square, self.offset(place))
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        if written < self.bytes:  # a disk that is filling up takes a part
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def sync(self) -> None:
        """Wait until all that was written is on the disk."""
        synced(self.path)

    def keep(self, taken: np.ndarray) -> None:
        """Leave these pictures alone, in this order; it can be repeated after an interruption.

        Parameters
        ----------
        taken : as `moved` gives it
        """
        end, size = self.offset(len(taken)), self.path.stat().st_size
        if size < end:
            raise InputError(f"{self.path} was cut short: remove {self.path.parent} to begin anew")
        # If it ends here, all have moved before.
        places = np.flatnonzero(taken != np.arange(len(taken))) if size > end else taken[:0]
        with self.path.open("r+b") as file:
            for place in places.tolist():
                file.seek(self.offset(int(taken[place])))
                content = file.read(self.bytes)
                file.seek(self.offset(place))
                file.write(content)
            file.seek(0)
            file.write(_header(len(taken), self.size))
            file.flush()
            os.fsync(file.fileno())
            # Last of all: before this, everything can be done again.
            file.truncate(end)


def _header(count: int, size: int) -> bytes:
    """How a .npy file of so many pictures begins."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (count, size, size, 3)}
    )
    return header.getvalue()


def unfinished(out: Path) -> Path:
    """The folder in which the data set `out` is being made."""
    return out.with_name(f"{out.name}.unfinished")


def read_report(folder: Path) -> dict:
    """The report.json of a data set, finished or not.

    Raises
    ------
    InputError
        If it is damaged.
    """
    path = folder / REPORT
    try:
        report = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: broken file ({error}): remove {folder} to begin anew") from error
    if not isinstance(report, dict):
        raise InputError(f"{path}: expected a JSON object: remove {folder} to begin anew")
    return report
