"""What stands in for cupy.cuda where there is no GPU: NCCL's calls, as CuPy 14 has them.

They are handed addresses, counts and NCCL's numbers for types, as the real ones are. MPI does the
work. The make-believe accelerator's arrays get the attribute `data.ptr` that CuPy's have.
"""

import ctypes
from types import SimpleNamespace

import numpy as np
from mpi4py import MPI

from minialexnet import strict

NCCL_SUM, NCCL_FLOAT32, NCCL_FLOAT64 = 0, 7, 8
KINDS = {NCCL_FLOAT32: ctypes.c_float, NCCL_FLOAT64: ctypes.c_double}
STREAM = 17
calls = []

strict.Array.data = property(lambda self: SimpleNamespace(ptr=self._memory.ctypes.data))


def get_unique_id() -> bytes:
    """128 bytes, since version 14 of CuPy."""
    return bytes(range(128))


def _at(address: int, count: int, kind: int) -> np.ndarray:
    return np.ctypeslib.as_array((KINDS[kind] * count).from_address(address))


def _whole(*numbers):
    assert all(type(number) is int for number in numbers), numbers


class NcclCommunicator:
    """One rank with one device."""

    comms = None

    def __init__(self, ndev: int, commId: bytes, rank: int):
        assert isinstance(commId, bytes)
        assert commId == get_unique_id()
        # The ranks that make one are found by what the test says: NCCL knows them by the name.
        self.comm = NcclCommunicator.comms.pop(0)
        assert (self.comm.size, self.comm.rank) == (ndev, rank)
        self.group = []

    def allReduce(self, sendbuf, recvbuf, count, datatype, op, stream):
        _whole(sendbuf, recvbuf, count, datatype, op, stream)
        assert (op, stream) == (NCCL_SUM, STREAM)
        calls.append(("allReduce", count))
        mine = _at(sendbuf, count, datatype).copy()
        self.comm.Allreduce(mine, _at(recvbuf, count, datatype))

    def send(self, sendbuf, count, datatype, peer, stream):
        _whole(sendbuf, count, datatype, peer, stream)
        assert grouped
        calls.append(("send", count))
        pending.append(self.comm.Isend(_at(sendbuf, count, datatype), peer))

    def recv(self, recvbuf, count, datatype, peer, stream):
        _whole(recvbuf, count, datatype, peer, stream)
        assert grouped
        calls.append(("recv", count))
        pending.append(self.comm.Irecv(_at(recvbuf, count, datatype), peer))

    def check_async_error(self):
        pass


grouped, pending = False, []


def groupStart():
    global grouped
    grouped = True


def groupEnd():
    global grouped
    MPI.Request.Waitall(pending)
    pending.clear()
    grouped = False


class Event:
    """It has passed when it is asked for the second time."""

    asked = 0

    def record(self, stream):
        assert stream.ptr == STREAM

    @property
    def done(self):
        self.asked += 1
        return self.asked > 1


def device_of(bus):
    return lambda: SimpleNamespace(pci_bus_id=bus)


cuda = SimpleNamespace(
    Event=Event,
    Device=device_of(f"0000:0{MPI.COMM_WORLD.rank}:00.0"),
    get_current_stream=lambda: SimpleNamespace(ptr=STREAM),
    nccl=SimpleNamespace(
        NCCL_SUM=NCCL_SUM,
        NCCL_FLOAT32=NCCL_FLOAT32,
        NCCL_FLOAT64=NCCL_FLOAT64,
        NcclCommunicator=NcclCommunicator,
        get_unique_id=get_unique_id,
        groupStart=groupStart,
        groupEnd=groupEnd,
    ),
)
