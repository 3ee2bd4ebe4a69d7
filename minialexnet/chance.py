"""Where chance comes from: NumPy generators that are a function of where the run is."""

import math

import numpy as np

from minialexnet.errors import InputError

PURPOSES = ("weights", "order", "layers", "augmentation")


def generator(purpose: str, seed: int, epoch: int = 0, step: int = 0) -> np.random.Generator:
    """The generator for one purpose at one place of a run.

    Nothing is carried from step to step, so a run that is taken up again anywhere draws what it
    would have drawn, on any device and with any number of workers.

    Parameters
    ----------
    purpose : one of PURPOSES; equal places draw different numbers for different purposes
    seed : of the run
    epoch, step : where the run is
    """
    # All four numbers always: NumPy takes [7] and [7, 0, 0] for the same seed.
    return np.random.default_rng([PURPOSES.index(purpose), seed, epoch, step])


class Rows:
    """A generator for some images of a batch: they draw what they would draw within the whole.

    So the features that dropout drops do not depend on how many processes share a batch.

    Parameters
    ----------
    rng : the generator of the whole batch
    first, last : the images, the last one excluded
    whole : images in the batch
    """

    def __init__(self, rng, first: int, last: int, whole: int):
        self.rng, self.first, self.last, self.whole = rng, first, last, whole

    def random(self, shape, dtype=np.float64) -> np.ndarray:
        """Numbers from 0 to below 1 for these images; the first axis of the shape is theirs."""
        drawn, each = self.last - self.first, math.prod(shape[1:])
        if len(shape) == 0 or shape[0] != drawn:
            raise InputError(f"expected numbers for {drawn} images, got the shape {tuple(shape)}")
        skip(self.rng, self.first * each, dtype)
        mine = self.rng.random(shape, dtype)
        skip(self.rng, (self.whole - self.last) * each, dtype)
        return mine

    def spawn(self, count: int) -> list:
        """No generators, for slices of a batch: slices end elsewhere when a batch is shared."""
        return [_Refusing() for _ in range(count)]

    def __getattr__(self, name):
        return getattr(_Refusing(), name)


class Columns:
    """A generator for some features of a batch: they draw what they would draw within the whole.

    Parameters
    ----------
    rng : the generator of all features
    first, last : the features, the last one excluded
    whole : features in all
    """

    def __init__(self, rng, first: int, last: int, whole: int):
        self.rng, self.first, self.last, self.whole = rng, first, last, whole

    def random(self, shape, dtype=np.float64) -> np.ndarray:
        """Numbers from 0 to below 1 for these features; the last axis of the shape is theirs."""
        return self.rng.random((*shape[:-1], self.whole), dtype)[..., self.first : self.last]

    def __getattr__(self, name):
        return getattr(_Refusing(), name)


class _Refusing:
    """Takes the place of a generator where drawing would depend on the number of processes."""

    def __getattr__(self, name):
        raise InputError(
            f"rng.{name}: a layer that draws so cannot share a batch with other processes; draw "
            "with rng.random(x.shape), and before Flatten train with --engine plain, or train in "
            "one process"
        )


def skip(rng, count: int, dtype=np.float64) -> None:
    """Let as many numbers of rng.random(dtype=dtype) pass, without drawing them one by one."""
    bits = getattr(rng, "bit_generator", None)
    if np.dtype(dtype) != np.float32 or not isinstance(bits, np.random.PCG64):
        rng.random(count, dtype)
        return
    # Two numbers of 32 bits come from one draw, and the second may still be waiting.
    if count and bits.state["has_uint32"]:
        rng.random(dtype=dtype)
        count -= 1
    if count > 1:
        bits.advance(count // 2)
    if count % 2:
        rng.random(dtype=dtype)
