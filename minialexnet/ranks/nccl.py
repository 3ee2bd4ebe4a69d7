"""Ranks with a GPU each: arrays on the GPUs go through NCCL, all else through MPI."""

import warnings
from types import ModuleType

import numpy as np

from minialexnet.backend import namespace
from minialexnet.errors import InputError
from minialexnet.ranks.alone import Agreed
from minialexnet.ranks.mpi import Mpi


class Nccl(Mpi):
    """A rank among several, with a GPU of its own, on which it has been working.

    Parameters
    ----------
    comm, limit, world : as for `Mpi`
    cuda : the module cupy.cuda, or one that has the same names

    Raises
    ------
    Agreed
        If two ranks have the same GPU, which NCCL refuses in less clear words.
    """

    def __init__(self, comm, limit: float, world=None, cuda: ModuleType | None = None):
        super().__init__(comm, limit, world)
        self.cuda = cuda or self.together(_cuda)
        self._demand_own_gpus()
        name = self.given(self.cuda.nccl.get_unique_id() if self.first else None)
        self.nccl = self.cuda.nccl.NcclCommunicator(self.size, name, self.rank)

    def _demand_own_gpus(self) -> None:
        places = self.each((self.mpi.Get_processor_name(), self.cuda.Device().pci_bus_id))
        for rank, place in enumerate(places):
            if (before := places.index(place)) != rank:
                raise Agreed(
                    f"ranks {before} and {rank} have the same GPU, {place[1]} of {place[0]}: start "
                    "as many ranks on a machine as it has GPUs"
                )

    def part(self, color: int) -> "Nccl":
        return Nccl(self.comm.Split(color), self.limit, self.world, self.cuda)

    def on(self, device) -> "Nccl":
        return self

    def sum(self, array) -> None:
        if isinstance(array, np.ndarray):
            super().sum(array)
            return
        self._count("gradients", array.nbytes)
        nccl, stream = self.cuda.nccl, self.cuda.get_current_stream()
        place = array.data.ptr
        self.nccl.allReduce(place, place, array.size, self._kind(array), nccl.NCCL_SUM, stream.ptr)
        self._passed(stream)

    def swapped(self, array, like, other: int, what: str):
        if isinstance(array, np.ndarray):
            return super().swapped(array, like, other, what)
        self._count(what, array.nbytes)
        nccl, stream, kind = self.cuda.nccl, self.cuda.get_current_stream(), self._kind(array)
        came = namespace(array).zeros(like, array.dtype)
        # In one group, so that neither waits for the other to receive.
        nccl.groupStart()
        self.nccl.send(array.data.ptr, array.size, kind, other, stream.ptr)
        self.nccl.recv(came.data.ptr, came.size, kind, other, stream.ptr)
        nccl.groupEnd()
        self._passed(stream)
        return came

    def _kind(self, array) -> int:
        return getattr(self.cuda.nccl, f"NCCL_{np.dtype(array.dtype).name.upper()}")

    def _passed(self, stream) -> None:
        """Wait until the GPU has come past this point; or end the job."""
        event = self.cuda.Event()
        event.record(stream)

        def passed() -> bool:
            if not event.done:
                self.nccl.check_async_error()
            return event.done

        self._until(passed)


def _cuda() -> ModuleType:
    """The module cupy.cuda, with NCCL in it."""
    with warnings.catch_warnings(action="ignore"):
        import cupy.cuda
        from cupy.cuda import nccl

    if not nccl.available:
        raise InputError(
            "several ranks with GPUs need NCCL, which CuPy does not find: "
            "pip install nvidia-nccl-cu13 (or nvidia-nccl-cu12)"
        )
    return cupy.cuda
