"""The part of a batch that one of several processes works on."""

from dataclasses import dataclass

import numpy as np

from minialexnet.chance import Rows


@dataclass(frozen=True)
class Share:
    """The images first, first + 1 ... last - 1 of `whole`.

    Where there are fewer images than processes some have none. These go through the same motions
    on one image all the same, and it counts nothing: its weight is 0.
    """

    first: int
    last: int
    whole: int

    @property
    def images(self) -> int:
        """How many images count."""
        return self.last - self.first

    @property
    def weight(self) -> float:
        """What the mean over these images counts in the mean over the whole, a share of 1."""
        return self.images / self.whole

    @property
    def rows(self) -> slice:
        """What to work on, one image at least."""
        return slice(self.first, max(self.last, self.first + 1))

    def chance(self, rng: np.random.Generator):
        """What these images draw of all that the whole batch draws."""
        if self.images == self.whole:
            return rng
        return Rows(rng, self.rows.start, self.rows.stop, self.whole)


def all_of(count: int) -> Share:
    """The whole of it."""
    return Share(0, count, count)


def share_of(count: int, rank: int, size: int) -> Share:
    """What process number `rank` of `size` works on: equal parts, give or take one image."""
    return Share(count * rank // size, count * (rank + 1) // size, count)
