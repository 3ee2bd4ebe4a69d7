"""Answers to the exercise on dropout."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.layers import Dropout

HERE = Submissions()


class Written(Dropout):
    """What most students write; the cache is what x was multiplied by."""

    def forward(self, x, rng=None):
        factor = self.in_evaluation(x) if rng is None else self.in_training(x, rng)
        return x * factor, factor

    def in_evaluation(self, x):
        return x.dtype.type(1 if self.inverted else 1 - self.rate)

    def in_training(self, x, rng):
        mask = self.mask(x, rng).astype(x.dtype)
        return mask / x.dtype.type(1 - self.rate) if self.inverted else mask

    def mask(self, x, rng):
        return rng.random(x.shape) >= self.rate

    def backward(self, dy, cache):
        return dy * cache, {}


@HERE.correct
class Doubles(Written):
    """The chances as float64 numbers: other ones than the library's."""


@HERE.correct
class Loops(Written):
    def mask(self, x, rng):
        mask = np.zeros(x.shape, bool)
        for index in np.ndindex(x.shape):
            mask[index] = rng.uniform(0, 1) > self.rate
        return mask


@HERE.correct
class Coins(Written):
    """By tossing coins, which land on 1 at a chance of 1 - rate; those dropped are set to 0."""

    def forward(self, x, rng=None):
        if rng is None:
            return super().forward(x)
        coins = rng.binomial(1, 1 - self.rate, size=x.shape).astype(bool)
        y = np.where(coins, x, x.dtype.type(0))
        scale = x.dtype.type(1 / (1 - self.rate) if self.inverted else 1)
        return y * scale, (coins, scale)

    def backward(self, dy, cache):
        if not isinstance(cache, tuple):
            return super().backward(dy, cache)
        coins, scale = cache
        dx = dy * scale
        dx[~coins] = 0
        return dx, {}


@HERE.correct
class Choice(Written):
    def mask(self, x, rng):
        return rng.choice([False, True], size=x.shape, p=[self.rate, 1 - self.rate])


@HERE.mistake("weakened by 1 - rate")
class EvaluationUnscaled(Written):
    def in_evaluation(self, x):
        return x.dtype.type(1)


@HERE.mistake("weakened by rate")
class ScaledByRate(Written):
    def in_evaluation(self, x):
        return x.dtype.type(1 if self.inverted else self.rate)


@HERE.mistake("features are dropped in evaluation")
class DropsInEvaluation(Written):
    def forward(self, x, rng=None):
        return super().forward(x, np.random.default_rng(0) if rng is None else rng)


@HERE.mistake("nothing is dropped")
class TrainingAndEvaluationMixedUp(Written):
    def forward(self, x, rng=None):
        return super().forward(x, np.random.default_rng(0) if rng is None else None)


@HERE.mistake("the share that is kept")
class KeepsInsteadOfDropping(Written):
    def mask(self, x, rng):
        return rng.random(x.shape) < self.rate


@HERE.mistake("a chance of one half")
class AlwaysOneHalf(Written):
    def mask(self, x, rng):
        return rng.random(x.shape) >= 0.5


@HERE.mistake("do not draw again")
class DrawsAgain(Written):
    def backward(self, dy, cache):
        if np.ndim(cache) == 0:
            return dy * cache, {}
        return dy * self.in_training(dy, np.random.default_rng(6)), {}


@HERE.mistake("from the rng that forward is given")
class GeneratorOfItsOwn(Written):
    def __init__(self, rate=0.5, inverted=False):
        super().__init__(rate, inverted)
        self.rng = np.random.default_rng(6)

    def mask(self, x, rng):
        return super().mask(x, self.rng)


@HERE.mistake("not from a seed of your own")
class AlwaysTheSame(Written):
    def mask(self, x, rng):
        return super().mask(x, np.random.default_rng(0))


@HERE.mistake("this is inverted dropout")
class AlwaysInverted(Written):
    def in_training(self, x, rng):
        return self.mask(x, rng).astype(x.dtype) / x.dtype.type(1 - self.rate)


@HERE.mistake("those kept are divided by 1 - rate")
class NeverInverted(Written):
    def in_training(self, x, rng):
        return self.mask(x, rng).astype(x.dtype)


@HERE.mistake("one for each of x")
class OneMaskForAllImages(Written):
    def mask(self, x, rng):
        return np.broadcast_to(rng.random(x.shape[1:]) >= self.rate, x.shape)


@HERE.mistake("one for each of x")
class WholeChannels(Written):
    def mask(self, x, rng):
        shape = (len(x), *(1,) * (x.ndim - 2), x.shape[-1])
        return np.broadcast_to(rng.random(shape) >= self.rate, x.shape)


@HERE.mistake("what was dropped gets no gradient")
class LetsEverythingThrough(Written):
    def backward(self, dy, cache):
        return dy.copy() if np.ndim(cache) else dy * cache, {}


@HERE.mistake("belongs to backward too")
class UnscaledOnTheWayBack(Written):
    def backward(self, dy, cache):
        return dy * (cache if np.ndim(cache) == 0 else (cache != 0)), {}


@HERE.mistake("float32 became float64")
class Float64Creep(Written):
    def in_training(self, x, rng):
        return super().in_training(x, rng).astype(np.float64)


@HERE.mistake("x was written into")
class InPlace(Written):
    def forward(self, x, rng=None):
        factor = super().forward(x, rng)[1]
        x *= factor
        return x.copy(), factor


@HERE.mistake("belongs in the cache")
class RemembersItsMask(Written):
    def forward(self, x, rng=None):
        y, self.factor = super().forward(x, rng)
        return y, None

    def backward(self, dy, cache):
        return dy * self.factor, {}


@HERE.mistake("twice as large")
class DoubledGradient(Written):
    def backward(self, dy, cache):
        return 2 * dy * cache, {}


@HERE.mistake("0.1 %")
class AThousandth(Written):
    def in_evaluation(self, x):
        return super().in_evaluation(x) * x.dtype.type(1.001)


@HERE.mistake(None)
class HalfTheRate(Written):
    """Exactly half of the share, in every image."""

    def mask(self, x, rng):
        flat = np.arange(x[0].size) >= round(x[0].size * self.rate / 2)
        return np.array([rng.permutation(flat).reshape(x[0].shape) for _ in x])
