"""The batches of an epoch, made ahead of time by threads in the background."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter
from typing import Any

import numpy as np

from minialexnet.data.augment import Views, parts
from minialexnet.data.input import Input
from minialexnet.data.mapped import forget
from minialexnet.data.prepared import Split
from minialexnet.data.share import Share, all_of

# Batches that are ready, or being made, while the network is busy with another.
AHEAD = 3
THREADS = 2
# Bytes of pictures of a mapped file that stay part of the process. Letting go of them more often
# costs half of the speed, since every page that is read again has to be asked for.
KEPT = 2**33


@dataclass(frozen=True)
class Look:
    """How training looks at pictures in an epoch.

    Parameters
    ----------
    size : side of the part that is seen, pixels; 0 for all of it
    views : (step, count) -> `Views`, how each picture of that step's batch is looked at
    """

    size: int
    views: Callable[[int, int], Views]


class Straight:
    """Batches are put where they are wanted when their turn comes, as they are.

    The other way is `minialexnet.pinned`, whose methods these are.
    """

    slots = AHEAD

    def __init__(self, put: Callable[[np.ndarray], Any]):
        self.put = put

    def room(self, slot: int, count: int) -> None:
        """None: a batch is made wherever there is memory."""

    def sent(self, slot: int, images: np.ndarray):
        return self.put(images)

    def read(self, slot: int) -> None:
        pass

    def close(self) -> None:
        pass


class Feed:
    """The batches of one epoch, in order.

    Parameters
    ----------
    split : the pictures
    order : (N,) in which order
    batch : images in a batch; the last one may have fewer, and no image is left out
    look : how training looks at them
    see : how they enter the network, and where that is: for a processor parts of pictures are made
        in the background; a GPU gets whole pictures, through pinned memory while it computes, and
        makes the parts itself
    start : how many batches to leave out at the beginning: those that were used already
    share : count -> `Share`, which images of a batch are wanted here

    Attributes
    ----------
    share_now : the `Share` of the latest batch
    waited : seconds that the latest batch was waited for
    """

    def __init__(
        self,
        split: Split,
        order: np.ndarray,
        batch: int,
        look: Look,
        see: Input,
        start: int = 0,
        share: Callable[[int], Share] = all_of,
    ):
        self.split, self.order, self.batch = split, order, batch
        self.look, self.see, self.start, self.share = look, see, start, share
        self.share_now, self.waited = None, 0.0

    def __iter__(self) -> Iterator[tuple]:
        """Yields what the network sees, (n, H, W, 3) float32, and labels, (n,), on the device."""
        put = self.see.device.put
        with closing(self._way()) as way, closing(self._taken(way)) as taken:
            for slot, images, labels, views in taken:
                if self._on_gpu:
                    images = parts(images, np.arange(len(labels)), views, self.look.size)
                    way.read(slot)
                yield self.see(images, views.shifts, views.tone), put(labels)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray, Views]]:
        """Yields pictures or parts of them, (n, H, W, 3) uint8, labels and views, on the host."""
        for _, *batch in self._taken(Straight(_as_it_is)):
            yield batch

    def _way(self):
        """How batches get to the device."""
        device = self.see.device
        if device.pinned is not None:
            return device.pinned((self.batch, *self.split.images.shape[1:]))
        return Straight(device.put if self._on_gpu else _as_it_is)

    def _taken(self, way) -> Iterator[tuple]:
        """Yields a slot of the way, and what it holds: images, labels and views."""
        steps = range(self.start, steps_per_epoch(self.split, self.batch))
        turns = zip(steps, cycle(range(way.slots)), strict=False)
        touched, picture = 0, self.split.images[0].nbytes
        pool = ThreadPoolExecutor(THREADS, "feed")

        def begun(count: int) -> list:
            some = islice(turns, count)
            return [(slot, pool.submit(self._made, step, way, slot)) for step, slot in some]

        try:
            made = deque(begun(way.slots))
            while made:
                started = perf_counter()
                slot, batch = made.popleft()
                self.share_now, images, labels, views = batch.result()
                self.waited = perf_counter() - started
                images = way.sent(slot, images)
                # The next of this slot: it may begin now that the copy has been asked for.
                made.extend(begun(1))
                yield slot, images, labels, views
                touched += len(labels) * picture
                if touched >= KEPT:
                    forget(self.split.images)
                    touched = 0
        finally:
            pool.shutdown(cancel_futures=True)

    @property
    def _on_gpu(self) -> bool:
        return self.see.device.name != "cpu"

    def _made(self, step: int, way, slot: int):
        """What can be made of a batch on the host, in the room that its slot has."""
        chosen = self.order[step * self.batch : (step + 1) * self.batch]
        share = self.share(len(chosen))
        # Drawn for the whole batch, so that views do not depend on who shares it.
        views = self.look.views(step, len(chosen)).of(share.rows)
        chosen = chosen[share.rows]
        room = way.room(slot, len(chosen))
        if room is not None:
            images = _gathered(self.split.images, chosen, room)
        elif self._on_gpu:
            images = self.split.images[chosen]
        else:
            images = parts(self.split.images, chosen, views, self.look.size)
        return share, images, self.split.labels[chosen], views


def _gathered(images: np.ndarray, chosen: np.ndarray, room: np.ndarray) -> np.ndarray:
    """The chosen images, written into the room."""
    if images.flags.c_contiguous:
        # Anything but "raise" writes there at once; the numbers are of pictures that there are.
        return np.take(images, chosen, axis=0, out=room, mode="clip")
    # Of views of pictures `take` would copy all first.
    room[:] = images[chosen]
    return room


def _as_it_is(images: np.ndarray) -> np.ndarray:
    return images


def steps_per_epoch(split: Split, size: int) -> int:
    """How many batches of that size one pass has, the short last one included."""
    return math.ceil(len(split.labels) / size)
