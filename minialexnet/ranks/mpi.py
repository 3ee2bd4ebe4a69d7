"""Ranks that send each other messages through MPI, none of which is waited for without end."""

import os
import pickle
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minialexnet import processor
from minialexnet.errors import OUTSIDE, said
from minialexnet.ranks.alone import Agreed, Alone
from minialexnet.ranks.gradients import Flat

# Seconds that the others have to say that they are still there, after a message did not come.
ROLL_CALL = 5.0
# Kinds of messages between two ranks.
MAPS, WHO_IS_THERE, HERE = 1, 2, 3
BROKEN = 3  # the exit code of a job that lost a rank


class Mpi(Alone):
    """A rank among several.

    Every message is begun, and then looked after until it is done (MPI's nonblocking calls). So a
    rank that has been stopped, or hangs, is found out: after `limit` seconds all ranks are called,
    those that do not answer are named, and the job ends on every rank.

    Parameters
    ----------
    comm : an mpi4py communicator
    limit : seconds that a message is waited for
    """

    def __init__(self, comm, limit: float):
        from mpi4py import MPI

        super().__init__()
        self.mpi, self.comm, self.limit = MPI, comm, limit
        self.rank, self.size = comm.rank, comm.size
        local = comm.Split_type(MPI.COMM_TYPE_SHARED)
        self.local_rank, self.local_size = local.rank, local.size
        self.flat = None
        self.seconds = 0.0

    def threads(self) -> int:
        mine = processor.mine()
        host = self.mpi.Get_processor_name()
        # Some launchers give each rank processors of its own, others leave all of them to all.
        others = [theirs for where, theirs in self.each((host, mine)) if where == host]
        return max(1, len(mine) // sum(not mine.isdisjoint(theirs) for theirs in others))

    def part(self, color: int) -> "Mpi":
        """The ranks that call this with the same color, among themselves."""
        return Mpi(self.comm.Split(color), self.limit)

    # ------------------------------------------------------------------ what ranks say

    def mean(self, grads: Mapping, weight: float) -> Mapping:
        if self.size == 1:
            return grads
        if self.flat is None:
            self.flat = Flat(grads)
        self.flat.put(grads, weight)
        self.sum(self.flat.buffer)
        return self.flat.grads

    def sum(self, array) -> None:
        """Add up an array over the ranks, in its place."""
        self._count("gradients", array.nbytes)
        self._done(self.comm.Iallreduce(self.mpi.IN_PLACE, array))

    def total(self, *numbers: float) -> tuple[float, ...]:
        every = np.array(numbers, np.float64)
        self._count("numbers", every.nbytes)
        self._done(self.comm.Iallreduce(self.mpi.IN_PLACE, every))
        return tuple(every.tolist())

    def any(self, *flags: bool) -> tuple[bool, ...]:
        return tuple(count > 0 for count in self.total(*flags))

    def each(self, value: Any) -> list:
        mine = np.frombuffer(pickle.dumps(value), np.uint8)
        sizes = np.zeros(self.size, np.int64)
        self._done(self.comm.Iallgather(np.array([mine.size], np.int64), sizes))
        every = np.empty(sizes.sum(), np.uint8)
        self._done(self.comm.Iallgatherv(mine, (every, sizes.tolist())))
        parts = np.split(every, np.cumsum(sizes)[:-1])
        return [pickle.loads(part) for part in parts]

    def given(self, value: Any) -> Any:
        mine = np.frombuffer(pickle.dumps(value if self.first else None), np.uint8)
        size = np.array([mine.size], np.int64)
        self._done(self.comm.Ibcast(size))
        theirs = mine.copy() if self.first else np.empty(size[0], np.uint8)
        self._done(self.comm.Ibcast(theirs))
        return value if self.first else pickle.loads(theirs)

    def together(self, work: Callable[[], Any]) -> Any:
        result, wrong = None, None
        try:
            result = work()
        except OUTSIDE as error:
            wrong = said(error)
        every = self.each(wrong)
        if all(words is None for words in every):
            return result
        rank, words = next((r, words) for r, words in enumerate(every) if words is not None)
        raise Agreed(words if len(set(every)) == 1 else f"rank {rank}: {words}")

    def demand_same(self, facts: Mapping[str, Any]) -> None:
        for rank, theirs in enumerate(every := self.each(dict(facts))):
            for what, value in every[0].items():
                if theirs[what] != value:
                    raise Agreed(
                        f"all ranks should have the same {what}: rank 0 has {value}, rank {rank} "
                        f"has {theirs[what]}"
                    )

    def swapped(self, array, like, other: int, what: str):
        """What another rank sends while it is sent an array.

        Parameters
        ----------
        array : on the host, contiguous
        like : the shape of what comes
        other : the rank
        what : the name under which the bytes are counted
        """
        came = np.empty(like, array.dtype)
        self._count(what, array.nbytes)
        receiving = self.comm.Irecv(came, other, MAPS)
        self._done(self.comm.Isend(array, other, MAPS))
        self._done(receiving)
        return came

    def _count(self, what: str, size: int) -> None:
        self.sent[what] = self.sent.get(what, 0) + size

    # ------------------------------------------------------------------ waiting, and giving up

    def _done(self, request) -> None:
        """Wait for a message of this rank, answering to roll calls; or end the job."""
        begun = time.monotonic()
        while not request.Test():
            # Another rank may need this processor to get here.
            os.sched_yield()
            waited = time.monotonic() - begun
            if waited > self.limit:
                self._give_up(waited)
            if waited > 0.1:
                self._answer()
        self.seconds += time.monotonic() - begun

    def _answer(self) -> None:
        if self.comm.Iprobe(tag=WHO_IS_THERE, status=(status := self.mpi.Status())):
            self._say(status.source, WHO_IS_THERE, HERE)

    def _say(self, other: int, hears: int, says: int) -> None:
        self.comm.Recv(bytearray(0), other, hears)
        self.comm.Isend(bytearray(0), other, says)

    def _give_up(self, waited: float) -> None:
        others = [rank for rank in range(self.size) if rank != self.rank]
        for other in others:
            self.comm.Isend(bytearray(0), other, WHO_IS_THERE)
        missing, end = set(others), time.monotonic() + ROLL_CALL
        while missing and time.monotonic() < end:
            self._answer()
            if self.comm.Iprobe(tag=HERE, status=(status := self.mpi.Status())):
                self.comm.Recv(bytearray(0), status.source, HERE)
                missing.discard(status.source)
        there = min({self.rank, *others} - missing)
        # One rank speaks. The others wait for it to end the job, but not for ever.
        if self.rank != there:
            time.sleep(ROLL_CALL)
        names = f"rank {', '.join(map(str, sorted(missing)))}" if missing else "a message"
        self.abort(f"{names} did not come within {waited:.0f} s; the job ends", BROKEN)

    def abort(self, words: str, code: int) -> None:
        """End the job on every rank, at once."""
        print(f"minialexnet: error: {words}", file=sys.stderr, flush=True)
        sys.stdout.flush()
        self.comm.Abort(code)

    def broken(self, error: BaseException) -> None:
        """End the job on every rank because of an error on this one."""
        # If it happens on several ranks, one of them has told it before the next one does.
        time.sleep(min(self.rank, 10))
        if isinstance(error, OUTSIDE):
            self.abort(f"rank {self.rank}: {said(error)}", 2)
        if isinstance(error, KeyboardInterrupt):
            self.abort(f"rank {self.rank} was interrupted", 130)
        traceback.print_exception(error)
        self.abort(f"rank {self.rank}: {type(error).__name__}: {error}; the job ends", 1)
