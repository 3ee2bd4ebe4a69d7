"""Batches on their way to a GPU, which goes on computing meanwhile.

A GPU fetches by itself what lies in pinned memory, which the operating system never moves. There
are two slots, each a buffer on the host and one on the GPU, and they take turns:

=========  =====================================================================================
`room`     in the background: once the last copy out of the host's buffer has ended, the buffer,
           to be filled with a batch
`sent`     the copy, on a stream of its own, once the GPU has read what the slot held before; what
           the GPU is told after that waits for the copy, the program does not
`read`     behind this point of its work the GPU has read the slot
=========  =====================================================================================
"""

import numpy as np


class Pinned:
    """Two slots for batches of uint8 on the way to the GPU that is being used.

    Parameters
    ----------
    shape : of the largest batch
    cupy, cupyx : these modules, or some that have the same names
    """

    slots = 2

    def __init__(self, shape: tuple[int, ...], cupy, cupyx):
        self.cuda, self.number = cupy.cuda, cupy.cuda.Device().id
        self.stream = cupy.cuda.Stream(non_blocking=True)
        each = range(self.slots)
        self.host = [cupyx.empty_pinned(shape, np.uint8) for _ in each]
        self.there = [cupy.empty(shape, np.uint8) for _ in each]
        self.copied, self.was_read = (
            [cupy.cuda.Event(disable_timing=True) for _ in each] for _ in range(2)
        )
        # The GPU may still be busy with what was in this memory before.
        for slot in each:
            self.read(slot)

    def room(self, slot: int, count: int) -> np.ndarray:
        """The host's buffer for so many images; waits until it may be written to."""
        # A thread of its own begins with the first GPU, whichever the program uses.
        with self.cuda.Device(self.number):
            self.copied[slot].synchronize()
        return self.host[slot][:count]

    def sent(self, slot: int, images: np.ndarray):
        """The images, which fill the slot's room, on the GPU; nothing waits here."""
        there = self.there[slot][: len(images)]
        self.stream.wait_event(self.was_read[slot])
        there.set(images, stream=self.stream)
        self.copied[slot].record(self.stream)
        self.cuda.get_current_stream().wait_event(self.copied[slot])
        return there

    def read(self, slot: int) -> None:
        """All that reads the slot's images has been told to the GPU."""
        self.was_read[slot].record(self.cuda.get_current_stream())

    def close(self) -> None:
        """Wait for copies under way: their memory is about to be used for something else."""
        self.stream.synchronize()
