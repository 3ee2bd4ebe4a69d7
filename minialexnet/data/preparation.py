"""From pictures of any kind to a prepared data set: many processes, to be stopped at any time.

Every job is a handful of pictures that can be read together. A process decodes them and writes them
to their places in the final files; it hands back sums and checksums alone. So memory does not grow
with the data set, and the result depends neither on the order of the jobs nor on interruptions.
"""

import os
import shutil
import signal
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from pathlib import Path

import numpy as np

from minialexnet.data.draft import (
    ELSEWHERE,
    LEDGER,
    REPORT,
    Draft,
    Images,
    read_report,
    tidy,
    unfinished,
)
from minialexnet.data.picture import decoded, square
from minialexnet.data.prepared import Dataset, prepared
from minialexnet.data.source import Reader, Source
from minialexnet.data.statistics import Sums, sums
from minialexnet.data.writing import make_folder, vacant
from minialexnet.errors import InputError
from minialexnet.files import alone

SMALLEST, LARGEST = 8, 1024  # pixels
# Seconds between two notes in the ledger: what a sudden end may cost.
SAVE = 10.0
# Pictures decoded to tell how long all of them will take.
TRIED = 32


@dataclass(frozen=True)
class Job:
    """Some pictures of one split, to be decoded and written.

    Parameters
    ----------
    number : of the job
    places : (N,) of the pictures among those of their split
    first : how many pictures come before that split
    reader : reads them
    images : the file that they go into
    training : whether they count for the mean and the colours
    """

    number: int
    places: np.ndarray
    first: int
    reader: Reader
    images: Images
    training: bool


@dataclass(frozen=True)
class Done:
    """What came of a job."""

    number: int
    places: np.ndarray
    checksums: np.ndarray
    sums: Sums | None
    kinds: Counter
    broken: dict[int, str]


def prepare(
    source: Source,
    out: str | Path,
    size: int,
    processes: int | None = None,
    skip_broken: bool = False,
    progress: Callable[[int], None] = lambda pictures: None,
    say: Callable[[str], None] = print,
) -> Dataset:
    """The pictures of a source, prepared in the folder `out`.

    Parameters
    ----------
    out : folder to make: must not exist, or be empty, or be this data set already
    size : side of the squares that all pictures become, pixels
    processes : how many decode at the same time; None is one a processor, 1 is this one alone
    skip_broken : leave broken pictures out instead of stopping at the first
    progress : is told how many more pictures are done
    say : is told what a person should know

    Raises
    ------
    InputError
        If a picture is broken, `size`, `processes` or `out` cannot be used, the disk is full, or
        another process is preparing the same.

    Notes
    -----
    Until all is done everything is in `out`.unfinished, where this goes on whenever it is called
    again. The result does not depend on `processes`. Processes are started afresh, so a script
    that calls this at its top level needs the usual ``if __name__ == "__main__":``, or
    ``processes=1``.
    """
    processes = demand_numbers(size, processes)
    if is_done(source, out, size):
        # The process that made it may have been killed before.
        tidy(Path(out).resolve())
        return prepared(out)
    out = vacant(out)
    folder = unfinished(out)
    if folder.is_file():
        raise InputError(f"{folder} is a file, and in the way: {ELSEWHERE}")
    if not folder.is_dir():
        make_folder(folder, out)
    with alone(folder, "preparing pictures"):
        jobs = [zlib.crc32(places) for _, places, _ in _readers(source)]
        draft = Draft(source, out, size, np.array(jobs, np.uint32))
        if draft.again:
            say(f"{folder / LEDGER} is damaged, or of another copy of the pictures: starting again")
        _work(draft, processes, skip_broken, progress)
        draft.finish()
    return prepared(out)


def demand_numbers(size: int, processes: int | None) -> int:
    """How many processes to use; InputError if that or the size makes no sense."""
    processes = processes if processes is not None else os.cpu_count() or 1
    if processes < 1:
        raise InputError(f"expected 1 process or more, got {processes}")
    if not SMALLEST <= size <= LARGEST:
        raise InputError(f"expected a size of {SMALLEST} ... {LARGEST} pixels, got {size}")
    return processes


def is_done(source: Source, out: str | Path, size: int) -> bool:
    """Whether `out` is this very data set already."""
    out = Path(out).resolve()
    try:
        report = read_report(out)
    except (OSError, InputError):
        return False
    return report.get("size") == size and report.get("fingerprint") == source.fingerprint()


@dataclass(frozen=True)
class Estimate:
    """What preparing will take: bytes of disk, bytes free for it, seconds."""

    needed: int
    free: int
    seconds: float


def estimate(source: Source, out: Path, size: int, processes: int) -> Estimate:
    """What preparing will take, from decoding a few pictures here and now."""
    count = len(source.train.labels) + len(source.test.labels)
    out = Path(out).resolve()
    begun = unfinished(out)
    place = next(folder for folder in (begun, *out.parents) if folder.is_dir())
    reserved = sum(path.stat().st_blocks * 512 for path in begun.glob("*_images.npy"))
    free = shutil.disk_usage(place).free + reserved
    started, tried = time.perf_counter(), 0
    for _, reader in islice(source.train.readers(), 4):
        for name, content in islice(reader, TRIED // 4):
            try:
                square(decoded(content, name)[0], size)
            except InputError:  # the real run will name it
                continue
            tried += 1
    each = (time.perf_counter() - started) / max(tried, 1)
    return Estimate(count * size * size * 3, free, each * count / processes)


def _readers(source: Source) -> Iterator[tuple[int, np.ndarray, Reader]]:
    """All that is to be read: which split, which of its pictures, and how."""
    for split, part in enumerate((source.train, source.test)):
        for places, reader in part.readers():
            yield split, places, reader


def _work(draft: Draft, processes: int, skip_broken: bool, progress) -> None:
    """Do what is not done yet."""
    ledger = draft.ledger
    _demand_whole(ledger.broken, skip_broken, draft)
    left = _jobs(draft)
    progress(sum(len(places) for places in _finished(draft)))
    saved = time.monotonic()
    with _workers(processes) as results:
        try:
            for done in results(left):
                # It is not noted as done: perhaps somebody mends the picture.
                _demand_whole(done.broken, skip_broken, draft)
                ledger.done[done.number] = True
                ledger.checksums[done.places] = done.checksums
                ledger.kinds.update(done.kinds)
                ledger.broken.update(done.broken)
                if done.sums is not None:
                    ledger.sums += done.sums
                progress(len(done.places))
                if time.monotonic() - saved >= SAVE:
                    draft.save()
                    saved = time.monotonic()
        finally:
            draft.save()


def _demand_whole(broken: dict[int, str], skip_broken: bool, draft: Draft) -> None:
    """Raise InputError if pictures are broken, and name them in the report."""
    if broken and not skip_broken:
        draft.report(draft.ledger.broken | broken)
        raise InputError(
            f"{broken[min(broken)]}; replace it and start again, or leave out what is broken with "
            f"--skip-broken (see {draft.folder / REPORT})"
        )


def _finished(draft: Draft) -> Iterator[np.ndarray]:
    """The places of the pictures of the jobs that are done."""
    for number, (_, places, _) in enumerate(_readers(draft.source)):
        if draft.ledger.done[number]:
            yield places


def _jobs(draft: Draft) -> Iterator[Job]:
    """The jobs that are not done yet."""
    for number, (split, places, reader) in enumerate(_readers(draft.source)):
        if not draft.ledger.done[number]:
            first = draft.counts[0] if split else 0
            yield Job(number, places, first, reader, draft.images[split], training=not split)


def _done(job: Job) -> Done:
    """Decode the pictures of a job and write them to their places."""
    size = job.images.size
    squares = np.zeros((len(job.places), size, size, 3), np.uint8)
    whole_ones = np.zeros(len(job.places), bool)
    checksums = np.zeros(len(job.places), np.uint32)
    kinds, broken = Counter(), {}
    with job.images.path.open("r+b", buffering=0) as file:
        for n, (place, (name, content)) in enumerate(
            zip(job.places.tolist(), job.reader, strict=True)
        ):
            try:
                picture, kind = decoded(content, name)
            except InputError as error:
                broken[job.first + place] = str(error)
                continue
            squares[n], whole_ones[n] = square(picture, size), True
            kinds[kind] += 1
            checksums[n] = zlib.crc32(squares[n])
            job.images.write(file.fileno(), place, squares[n])
    measured = sums(squares[whole_ones] if broken else squares) if job.training else None
    return Done(job.number, job.first + job.places, checksums, measured, kinds, broken)


@contextmanager
def _workers(processes: int):
    """A function that gives the results of jobs as they come, from so many processes."""
    if processes == 1:
        yield lambda jobs: map(_done, jobs)
        return
    pool = ProcessPoolExecutor(
        processes,
        # A fork would copy this process without the threads its libraries rely on.
        get_context("spawn"),
        initializer=_begin_worker,
    )

    def submitted(job: Job) -> Future:
        # Ctrl-C reaches the whole group, and this process alone answers it. One that begins now
        # inherits what is blocked here, so not even its start can be interrupted.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return pool.submit(_done, job)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def results(jobs: Iterator[Job]) -> Iterator[Done]:
        # Two jobs a process: none waits, and no more of them than that is in memory.
        running = {submitted(job) for job in islice(jobs, 2 * processes)}
        while running:
            ready, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {submitted(job) for job in islice(jobs, len(ready))}
            for future in ready:
                yield future.result()

    try:
        yield results
    except BrokenProcessPool as error:
        raise InputError(
            "a process that decodes pictures was killed, perhaps for want of memory; start again "
            "to go on from here, with fewer --processes if need be"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Whoever kills the parent at once leaves it no time to tell its workers.
    connection.wait([parent_process().sentinel])
    os._exit(1)
