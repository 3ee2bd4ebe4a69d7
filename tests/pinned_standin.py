"""What stands in for CuPy's streams, events and pinned memory where there is no GPU.

It is as late as a GPU may be: a copy arrives only when somebody has waited for it, and until then
the GPU's buffer holds rubbish. It objects where a real GPU would mix up pictures in silence:

* the host's buffer is written to while a copy out of it is under way;
* a copy begins before the GPU has read what the buffer held.
"""

import threading
from types import SimpleNamespace

import numpy as np

from minialexnet import strict

RUBBISH = 255


class Mixed(AssertionError):
    """Pictures would have been mixed up."""


class StandIn:
    """The modules `cupy` and `cupyx`, with as much of them as copies need."""

    def __init__(self):
        self.clock = 0
        self.lock = threading.RLock()
        self.delivered = {}  # address of a GPU's buffer: when pictures last came there
        self.log = []
        self.compute = self.Stream(self)
        self.cupyx = SimpleNamespace(empty_pinned=self.empty_pinned)
        self.cupy = SimpleNamespace(
            empty=lambda shape, dtype=float, order="C": strict.asarray(
                np.full(shape, RUBBISH, dtype)
            ),
            cuda=SimpleNamespace(
                Device=self.Device,
                Event=lambda block=False, disable_timing=False, interprocess=False: self.Event(
                    self
                ),
                Stream=lambda null=False, non_blocking=False, ptds=False, priority=None: (
                    self.Stream(self)
                ),
                get_current_stream=lambda device_id=-1: self.compute,
            ),
        )

    @staticmethod
    def empty_pinned(shape, dtype=float, order="C"):
        return np.zeros(shape, dtype, order)

    def now(self) -> int:
        self.clock += 1
        return self.clock

    class Device:
        def __init__(self, device=None):
            self.id = 1 if device is None else device

        def __enter__(self):
            assert self.id == 1

        def __exit__(self, *error):
            pass

    class Event:
        def __init__(self, gpu):
            self.gpu, self.at, self.copies = gpu, 0, []

        def record(self, stream=None):
            with self.gpu.lock:
                stream = stream or self.gpu.compute
                self.at, self.copies = self.gpu.now(), list(stream.copies)

        def synchronize(self):
            with self.gpu.lock:
                self.gpu.arrive(self.copies, "host")

    class Stream:
        def __init__(self, gpu):
            self.gpu, self.copies, self.knows = gpu, [], 0

        def wait_event(self, event):
            with self.gpu.lock:
                self.knows = max(self.knows, event.at)
                if self is self.gpu.compute:
                    self.gpu.arrive(event.copies, "compute")

        def synchronize(self):
            with self.gpu.lock:
                self.gpu.arrive(self.copies, "host")

    def arrive(self, copies, whom: str) -> None:
        """These copies have ended, as far as the host or the computing can know."""
        for copy in copies:
            if whom == "compute" and not copy.arrived:
                copy.there._memory[:] = copy.images
                copy.arrived = True
                self.delivered[address(copy.there)] = self.now()
                self.log.append("arrived")
            if whom == "host" and not copy.known:
                if not np.array_equal(copy.host, copy.images):
                    raise Mixed("the host's buffer was written to while it was being copied")
                copy.known = True

    def set(self, there, arr, stream=None):
        """`cupy.ndarray.set`."""
        with self.lock:
            if there._memory.shape != arr.shape or there.dtype != arr.dtype:
                raise ValueError("shapes and dtypes must be equal")
            if not (there._memory.flags.c_contiguous and arr.flags.c_contiguous):
                raise ValueError("arrays must be contiguous")
            if stream is None:
                raise AssertionError("without a stream the program waits for the copy")
            if stream.knows <= self.delivered.get(address(there), 0):
                raise Mixed("the GPU may not have read yet what the copy replaces")
            there._memory[:] = RUBBISH
            self.log.append("asked")
            stream.copies.append(
                SimpleNamespace(
                    there=there, host=arr, images=arr.copy(), arrived=False, known=False
                )
            )


def address(array) -> int:
    return array._memory.ctypes.data
