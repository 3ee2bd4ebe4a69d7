"""Batches of pictures in random order."""

import math
from collections.abc import Iterator

import numpy as np

from minialexnet.data.prepared import Split


def batches(
    split: Split, size: int, rng: np.random.Generator, start: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One pass over a split in the order that rng draws, a batch at a time.

    Parameters
    ----------
    size : images in a batch; the last batch may have fewer, and no image is left out
    start : how many batches to leave out at the beginning: those that were used already

    Yields
    ------
    images : (N, H, W, 3) uint8
    labels : (N,) int64
    """
    order = rng.permutation(len(split.labels))
    for first in range(start * size, len(order), size):
        chosen = order[first : first + size]
        yield split.images[chosen], split.labels[chosen]


def steps_per_epoch(split: Split, size: int) -> int:
    """How many batches of that size one pass has, the short last one included."""
    return math.ceil(len(split.labels) / size)
