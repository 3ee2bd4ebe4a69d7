"""The batches of an epoch, made ahead of time by threads in the background."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from time import perf_counter

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


class Feed:
    """The batches of one epoch, in order.

    Parameters
    ----------
    split : the pictures
    order : (N,) in which order
    batch : images in a batch; the last one may have fewer, and no image is left out
    look : how training looks at them
    see : how they enter the network, and where that is: for a processor parts of pictures are made
        in the background; a GPU gets whole pictures and makes the parts itself
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
        for images, labels, views in self.batches():
            if self._on_gpu:
                images = parts(put(images), np.arange(len(labels)), views, self.look.size)
            yield self.see(images, views.shifts, views.tone), put(labels)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray, Views]]:
        """Yields pictures or parts of them, (n, H, W, 3) uint8, labels and views, on the host."""
        steps = iter(range(self.start, steps_per_epoch(self.split, self.batch)))
        touched, picture = 0, self.split.images[0].nbytes
        pool = ThreadPoolExecutor(THREADS, "feed")
        try:
            made = deque(pool.submit(self._made, step) for step in islice(steps, AHEAD))
            while made:
                started = perf_counter()
                self.share_now, *batch = made.popleft().result()
                self.waited = perf_counter() - started
                made.extend(pool.submit(self._made, step) for step in islice(steps, 1))
                yield batch
                touched += len(batch[1]) * picture
                if touched >= KEPT:
                    forget(self.split.images)
                    touched = 0
        finally:
            pool.shutdown(cancel_futures=True)

    @property
    def _on_gpu(self) -> bool:
        return self.see.device.name != "cpu"

    def _made(self, step: int):
        """What can be made of a batch on the host."""
        chosen = self.order[step * self.batch : (step + 1) * self.batch]
        share = self.share(len(chosen))
        # Drawn for the whole batch, so that views do not depend on who shares it.
        views = self.look.views(step, len(chosen)).of(share.rows)
        chosen = chosen[share.rows]
        if self._on_gpu:
            images = self.split.images[chosen]
        else:
            images = parts(self.split.images, chosen, views, self.look.size)
        return share, images, self.split.labels[chosen], views


def steps_per_epoch(split: Split, size: int) -> int:
    """How many batches of that size one pass has, the short last one included."""
    return math.ceil(len(split.labels) / size)
