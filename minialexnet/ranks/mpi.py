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
# Seconds that a launcher may take to pass on what a rank has printed; an aborted job's is lost.
PASSED_ON = 0.5
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
    world : the communicator of all ranks, if this one is of some; rolls are called among all
    """

    def __init__(self, comm, limit: float, world=None):
        from mpi4py import MPI

        super().__init__()
        self.mpi, self.comm, self.limit, self.world = MPI, comm, limit, world or comm
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
        return Mpi(self.comm.Split(color), self.limit, self.world)

    def on(self, device) -> "Mpi":
        if device.name == "cpu":
            return self
        from minialexnet.ranks.nccl import Nccl

        return Nccl(self.comm, self.limit, self.world)

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
        raise Agreed(words if rank == 0 else f"rank {rank}: {words}")

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
        """Wait for a message of this rank; or end the job."""
        self._until(lambda: self._tested(request))

    def _until(self, done: Callable[[], bool]) -> None:
        """Wait until something is done, answering to roll calls; or end the job."""
        begun = time.monotonic()
        while not done():
            # Another rank may need this processor to get here.
            os.sched_yield()
            waited = time.monotonic() - begun
            if waited > self.limit:
                self._give_up(waited)
            if waited > 0.1:
                self._answer()
        self.seconds += time.monotonic() - begun

    def _tested(self, request) -> bool:
        try:
            return request.Test()
        except self.mpi.Exception as error:
            # Whoever it was to has died. The launcher, or who died, ends the job in a moment.
            time.sleep(ROLL_CALL)
            self.abort(f"rank {self.rank}: a message failed ({error}); the job ends", BROKEN)

    def _answer(self) -> None:
        """Say that this rank is there, if anybody asks."""
        status = self.mpi.Status()
        if self.world.Iprobe(tag=WHO_IS_THERE, status=status):
            self.world.Recv(bytearray(0), status.source, WHO_IS_THERE)
            self.world.Isend(bytearray(0), status.source, HERE)

    def _give_up(self, waited: float) -> None:
        """Call the roll, name who does not answer, and end the job."""
        me, status = self.world.rank, self.mpi.Status()
        missing = set(range(self.world.size)) - {me}
        for other in missing:
            self.world.Isend(bytearray(0), other, WHO_IS_THERE)
        end = time.monotonic() + ROLL_CALL
        while missing and time.monotonic() < end:
            self._answer()
            if self.world.Iprobe(tag=HERE, status=status):
                self.world.Recv(bytearray(0), status.source, HERE)
                missing.discard(status.source)
        # One rank speaks. The others wait for it to end the job, but not for ever, and answer it.
        end = time.monotonic() + ROLL_CALL
        while me != min(set(range(self.world.size)) - missing) and time.monotonic() < end:
            self._answer()
        who = f"rank {', '.join(map(str, sorted(missing)))} has" if missing else "a message has"
        self.abort(
            f"{who} not come for {waited + ROLL_CALL:.0f} s (--limit); the job ends, and its last "
            "checkpoint is good: go on with --resume",
            BROKEN,
        )

    def abort(self, words: str, code: int) -> None:
        """End the job on every rank, at once."""
        print(f"minialexnet: error: {words}", file=sys.stderr, flush=True)
        sys.stdout.flush()
        time.sleep(PASSED_ON)
        self.world.Abort(code)

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
