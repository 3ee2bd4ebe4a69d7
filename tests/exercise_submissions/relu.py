"""Answers to the exercise on the rectified linear unit."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.layers import ReLU
from minialexnet.layers.base import Layer

HERE = Submissions()


@HERE.correct
class Loops(Layer):
    def forward(self, x, rng=None):
        y = np.zeros_like(x)
        for index in np.ndindex(*x.shape):
            if x[index] > 0:
                y[index] = x[index]
        return y, x

    def backward(self, dy, cache):
        dx = np.zeros_like(dy)
        for index in np.ndindex(*dy.shape):
            dx[index] = dy[index] if cache[index] > 0 else 0
        return dx, {}


@HERE.correct
class Where(Layer):
    def forward(self, x, rng=None):
        y = np.where(x > 0, x, x.dtype.type(0))
        return y, y

    def backward(self, dy, cache):
        return np.where(cache > 0, dy, dy.dtype.type(0)), {}


@HERE.correct
class HalfOfXAndItsSize(Layer):
    """max(x, 0) = (x + |x|) / 2."""

    def forward(self, x, rng=None):
        return (x + abs(x)) / 2, np.sign(x)

    def backward(self, dy, cache):
        return dy * (cache == 1), {}


@HERE.correct
class Indices(Layer):
    """A copy with zeros at the places that are kept as the cache."""

    def forward(self, x, rng=None):
        y, places = x.copy(), np.nonzero(x <= 0)
        y[places] = 0
        return y, places

    def backward(self, dy, cache):
        dx = dy.copy()
        dx[cache] = 0
        return dx, {}


@HERE.mistake("x was written into")
class ClearsX(ReLU):
    def forward(self, x, rng=None):
        mask = x > 0
        x[~mask] = 0
        return x, mask


@HERE.mistake("dy was written into")
class ClearsDy(ReLU):
    def backward(self, dy, cache):
        dy[~cache] = 0
        return dy, {}


@HERE.mistake("dy comes back unchanged")
class LetsEverythingThrough(ReLU):
    def backward(self, dy, cache):
        return dy, {}


@HERE.mistake("the mask should come from x")
class MaskOfDy(ReLU):
    def backward(self, dy, cache):
        return np.maximum(dy, 0), {}


@HERE.mistake("not where x >= 0")
class AtZeroToo(ReLU):
    def forward(self, x, rng=None):
        return np.maximum(x, 0), x >= 0


@HERE.mistake("belongs in the cache")
class RemembersItsMask(ReLU):
    def forward(self, x, rng=None):
        self.mask = x > 0
        return x * self.mask, None

    def backward(self, dy, cache):
        return dy * self.mask, {}


@HERE.mistake("float32 became float64")
class Float64Creep(ReLU):
    def forward(self, x, rng=None):
        y = np.zeros(x.shape)
        y[x > 0] = x[x > 0]
        return y, x > 0


@HERE.mistake("float32 became float64")
class Float64CreepBackwards(ReLU):
    def backward(self, dy, cache):
        return dy * cache.astype(float), {}


@HERE.mistake("leaky")
class Leaky(ReLU):
    def forward(self, x, rng=None):
        return np.where(x > 0, x, x.dtype.type(0.01) * x), x > 0


@HERE.mistake("not positive")
class Magnitude(ReLU):
    def forward(self, x, rng=None):
        return abs(x), x > 0


@HERE.mistake("the mask")
class MaskAsResult(ReLU):
    def forward(self, x, rng=None):
        return (x > 0).astype(x.dtype), x > 0


@HERE.mistake("the wrong way round")
class MaskTurnedRound(ReLU):
    def backward(self, dy, cache):
        return dy * ~cache, {}


@HERE.mistake("twice as large")
class DoubledGradient(ReLU):
    def backward(self, dy, cache):
        return 2 * dy * cache, {}


@HERE.mistake("0.1 %")
class AThousandth(ReLU):
    def backward(self, dy, cache):
        return dy.dtype.type(1.001) * dy * cache, {}


@HERE.mistake("multiplied by 1 where x > 0, not by x")
class TimesX(ReLU):
    def forward(self, x, rng=None):
        y = np.maximum(x, 0)
        return y, y


@HERE.mistake("dy is forgotten")
class SlopeAlone(ReLU):
    def backward(self, dy, cache):
        return cache.astype(dy.dtype), {}


@HERE.mistake("(dx, grads)")
class NoGrads(ReLU):
    def backward(self, dy, cache):
        return dy * cache


@HERE.mistake("the same array is used again")
class OneBuffer(ReLU):
    def backward(self, dy, cache):
        if getattr(self, "buffer", dy).shape != dy.shape or not hasattr(self, "buffer"):
            self.buffer = np.empty_like(dy)
        return np.multiply(dy, cache, out=self.buffer), {}


@HERE.mistake("cut off at 1")
class UpToOne(ReLU):
    def forward(self, x, rng=None):
        return np.clip(x, 0, 1), x > 0


@HERE.mistake(None)
class FlatOnly(ReLU):
    """Right for rows, but not for pictures: the sum over the channels is taken first."""

    def forward(self, x, rng=None):
        mask = x > 0 if x.ndim == 2 else x.sum(axis=-1, keepdims=True) > 0
        return x * mask, mask
