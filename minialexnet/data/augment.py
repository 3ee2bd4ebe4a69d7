"""Augmentation (paper, section 4.1): more pictures to learn from than there are.

What is done to each picture of a batch is drawn on the host, as a function of where the run is; the
pictures themselves may be anywhere. So the same seed makes the same pictures on every device.
"""

from dataclasses import dataclass

import numpy as np

from minialexnet.backend import namespace
from minialexnet.data.statistics import Colours
from minialexnet.windows import windows


@dataclass(frozen=True)
class Views:
    """How each picture of a batch is looked at.

    Parameters
    ----------
    tops, lefts : (N,) where the part that is seen begins, pixels
    mirrored : (N,) bool
    shifts : (N, 3) float32, what is added to red, green and blue; None for nothing
    tone : what the pictures are multiplied by after that
    """

    tops: np.ndarray
    lefts: np.ndarray
    mirrored: np.ndarray
    shifts: np.ndarray | None = None
    tone: float = 1.0

    def of(self, rows: slice) -> "Views":
        """The views of some of these pictures."""
        shifts = None if self.shifts is None else self.shifts[rows]
        return Views(self.tops[rows], self.lefts[rows], self.mirrored[rows], shifts, self.tone)


def drawn_places(rng: np.random.Generator, count: int, rows: int, columns: int, share: int = 1):
    """Where the parts of pictures begin.

    Parameters
    ----------
    count : pictures
    rows, columns : how many places there are to choose from, down and across
    share : how many consecutive pictures have theirs in common: 1 in the paper; 32 in the original
        code, for which that was less work

    Returns
    -------
    tops, lefts : (count,) integers
    """
    blocks = -(-count // share)
    tops, lefts = rng.integers(rows, size=blocks), rng.integers(columns, size=blocks)
    return np.repeat(tops, share)[:count], np.repeat(lefts, share)[:count]


def drawn_mirrors(rng: np.random.Generator, count: int, share: int = 1) -> np.ndarray:
    """Which pictures are mirrored, at a chance of one half: (count,) bool; `share` as above."""
    return np.repeat(rng.random(-(-count // share)) < 0.5, share)[:count]


def drawn_shifts(rng: np.random.Generator, count: int, spread: float, colours: Colours):
    """What is added to the colours of each picture.

    [p1, p2, p3] [a1 s1, a2 s2, a3 s3]ᵀ, with the principal components p of the colours of all
    training pixels, the standard deviations s along them, and a drawn once a picture.

    Parameters
    ----------
    spread : the standard deviation of a, 0.1 in the paper

    Returns
    -------
    (count, 3) float32, pixels
    """
    return colours.shifts(rng.normal(0, spread, (count, 3)))


def parts(images, which: np.ndarray, views: Views, size: int = 0):
    """What is seen of some pictures, apart from the colours.

    Part n is of the picture which[n]. It begins at row views.tops[n] and column views.lefts[n], and
    is mirrored, left to right, after it has been cut, if views.mirrored[n].

    Parameters
    ----------
    images : (N, H, W, 3), possibly memory-mapped: only the parts are read
    which : (n,) integers, on the host: the pictures
    views : n of them
    size : side of a part, pixels; 0 for whole pictures

    Returns
    -------
    (n, size, size, 3), new, on the device where the pictures are
    """
    xp = namespace(images)
    if size:
        every = windows(images, size, stride=1)
        seen = every[xp.asarray(which), xp.asarray(views.tops), xp.asarray(views.lefts)]
    else:
        seen = images[xp.asarray(which)]
    mirrored = np.flatnonzero(views.mirrored)
    # On a processor one picture at a time stays in the cache; a GPU takes them all at once.
    some = 1 if xp is np else max(1, len(mirrored))
    for first in range(0, len(mirrored), some):
        here = xp.asarray(mirrored[first : first + some])
        before = seen[here]
        # Colour by colour: rows of pixels are quicker to turn round than triples.
        for channel in range(3):
            seen[here, :, :, channel] = before[:, :, ::-1, channel]
    return seen
