"""Answers to the exercise on response normalisation."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.layers import LocalResponseNorm

HERE = Submissions()


class Written(LocalResponseNorm):
    """What most students write, channel by channel."""

    def forward(self, x, rng=None):
        scale = self.k + self.alpha * self.around(x * x)
        return x * scale**-self.beta, (x, scale)

    def backward(self, dy, cache):
        x, scale = cache
        dx = dy * scale**-self.beta
        for c in range(x.shape[-1]):
            first, last = self.window(c, x.shape[-1])
            pull = (dy * x * scale ** (-self.beta - 1))[..., c : c + 1]
            dx[..., first:last] -= 2 * self.alpha * self.beta * x[..., first:last] * pull
        return dx, {}

    def around(self, x):
        total = np.zeros_like(x)
        for c in range(x.shape[-1]):
            first, last = self.window(c, x.shape[-1])
            total[..., c] = x[..., first:last].sum(axis=-1)
        return total

    def window(self, c, channels):
        first = c - self.size // 2
        return max(0, first), min(channels, first + self.size)


@HERE.correct
class ChannelByChannel(Written):
    pass


@HERE.correct
class Loops(LocalResponseNorm):
    def forward(self, x, rng=None):
        scale = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            total = 0
            for j in self.near(index[-1], x.shape[-1]):
                total += x[(*index[:-1], j)] ** 2
            scale[index] = self.k + self.alpha * total
        return x / scale**self.beta, (x, scale)

    def backward(self, dy, cache):
        x, scale = cache
        dx = dy / scale**self.beta
        for index in np.ndindex(x.shape):
            slope = -self.beta * scale[index] ** (-self.beta - 1) * dy[index] * x[index]
            for j in self.near(index[-1], x.shape[-1]):
                dx[(*index[:-1], j)] += slope * 2 * self.alpha * x[(*index[:-1], j)]
        return dx, {}

    def near(self, c, channels):
        first = c - self.size // 2
        return range(max(0, first), min(channels, first + self.size))


@HERE.correct
class BandMatrix(LocalResponseNorm):
    def forward(self, x, rng=None):
        channels = np.arange(x.shape[-1])
        offset = channels[:, None] - channels + self.size // 2
        band = ((offset >= 0) & (offset < self.size)).astype(x.dtype)
        scale = self.k + self.alpha * (x**2 @ band)
        y = x / scale**self.beta
        return y, (x, y, scale, band)

    def backward(self, dy, cache):
        x, y, scale, band = cache
        crossed = np.einsum("...c,jc->...j", dy * y / scale, band)
        return dy * scale**-self.beta - 2 * self.alpha * self.beta * x * crossed, {}


@HERE.correct
class CumulativeSums(LocalResponseNorm):
    def forward(self, x, rng=None):
        scale = self.k + self.alpha * self.summed(x * x, self.size // 2)
        return x * np.exp(-self.beta * np.log(scale)), (x, scale)

    def backward(self, dy, cache):
        x, scale = cache
        own = dy * np.exp(-self.beta * np.log(scale))
        crossed = self.summed(own * x / scale, self.size - 1 - self.size // 2)
        return own - 2 * self.alpha * self.beta * x * crossed, {}

    def summed(self, x, below):
        total = np.cumsum(np.concatenate([np.zeros_like(x[..., :1]), x], axis=-1), axis=-1)
        first = np.arange(x.shape[-1]) - below
        ends = np.clip([first, first + self.size], 0, x.shape[-1])
        return total[..., ends[1]] - total[..., ends[0]]


@HERE.mistake("alpha is divided by n")
class AlphaOverN(LocalResponseNorm):
    """As cuda-convnet, Caffe and PyTorch have it, forward and backward."""

    def forward(self, x, rng=None):
        return self.other().forward(x)

    def backward(self, dy, cache):
        return self.other().backward(dy, cache)

    def other(self):
        return LocalResponseNorm(self.size, self.k, self.alpha / self.size, self.beta)


@HERE.mistake("alpha is divided by n in the second term")
class AlphaOverNBackwards(LocalResponseNorm):
    def backward(self, dy, cache):
        other = LocalResponseNorm(self.size, self.k, self.alpha / self.size, self.beta)
        return other.backward(dy, cache)


@HERE.mistake("too long below")
class WindowTooLong(Written):
    def window(self, c, channels):
        first = c - self.size // 2 - 1
        return max(0, first), min(channels, first + self.size + 1)


@HERE.mistake("too short above")
class RangeOneTooShort(Written):
    def window(self, c, channels):
        first = c - self.size // 2
        return max(0, first), min(channels, first + self.size - 1)


@HERE.mistake("an even size has one more below")
class OddSizesOnly(Written):
    def window(self, c, channels):
        return max(0, c - self.size // 2), min(channels, c + self.size // 2 + 1)


@HERE.mistake("n is its whole width")
class SizeToBothSides(Written):
    def window(self, c, channels):
        return max(0, c - self.size), min(channels, c + self.size + 1)


@HERE.mistake("the window wraps round")
class WrapsRound(Written):
    def around(self, x):
        return sum(np.roll(x, self.size // 2 - j, axis=-1) for j in range(self.size))


@HERE.mistake("k is forgotten")
class ForgottenK(Written):
    def forward(self, x, rng=None):
        k, self.k = self.k, 0
        y, _ = super().forward(x)
        self.k = k
        return y, super().forward(x)[1]


@HERE.mistake("the squares are forgotten")
class NotSquared(Written):
    def forward(self, x, rng=None):
        scale = self.k + self.alpha * self.around(x)
        return x * abs(scale) ** -self.beta, super().forward(x)[1]


@HERE.mistake("it should lie across channels")
class AcrossRows(Written):
    def around(self, x):
        if x.ndim < 4:
            return super().around(x)
        return np.moveaxis(super().around(np.moveaxis(x, 1, -1)), -1, 1)


@HERE.mistake("s depends on x too")
class NeighboursForgotten(Written):
    def backward(self, dy, cache):
        return dy * cache[1] ** -self.beta, {}


@HERE.mistake("the sign of the second term")
class WrongSign(LocalResponseNorm):
    def backward(self, dy, cache):
        own = dy * cache[1][..., : dy.shape[-1]] ** -self.beta
        return 2 * own - super().backward(dy, cache)[0], {}


@HERE.mistake("the factor 2")
class ForgottenTwo(LocalResponseNorm):
    def backward(self, dy, cache):
        own = dy * cache[1][..., : dy.shape[-1]] ** -self.beta
        return (own + super().backward(dy, cache)[0]) / 2, {}


@HERE.mistake("forward mirrored")
class WindowNotMirrored(Written):
    def backward(self, dy, cache):
        x, scale = cache
        crossed = self.around(dy * x * scale ** (-self.beta - 1))
        own = dy * scale**-self.beta
        return own - 2 * self.alpha * self.beta * x * crossed, {}


@HERE.mistake("the power in the second term")
class WrongPower(Written):
    def backward(self, dy, cache):
        x, scale = cache
        dx = dy * scale**-self.beta
        for c in range(x.shape[-1]):
            first, last = self.window(c, x.shape[-1])
            pull = (dy * x * scale**-self.beta)[..., c : c + 1]
            dx[..., first:last] -= 2 * self.alpha * self.beta * x[..., first:last] * pull
        return dx, {}


@HERE.mistake("x was written into")
class SquaresInPlace(Written):
    def forward(self, x, rng=None):
        kept = x.copy()
        x *= x
        return super().forward(kept)


@HERE.mistake("float32 became float64")
class Float64Creep(Written):
    def around(self, x):
        total = np.zeros(x.shape)
        total += super().around(x)
        return total


@HERE.mistake("0.1 %")
class AThousandth(LocalResponseNorm):
    def backward(self, dy, cache):
        return super().backward(dy, cache)[0] * dy.dtype.type(1.001), {}


@HERE.mistake("images are mixed")
class NormalisesTheBatch(Written):
    def around(self, x):
        return super().around(x) + x.mean(axis=0) / 10


@HERE.mistake("belongs in the cache")
class RemembersItsScale(Written):
    def forward(self, x, rng=None):
        y, (x, self.scale) = super().forward(x)
        return y, x

    def backward(self, dy, cache):
        return super().backward(dy, (cache, self.scale))


@HERE.mistake(None)
class PicturesOnlyOfMoreChannelsThanSize(Written):
    """Goes wrong where the window is wider than the channels."""

    def window(self, c, channels):
        if channels >= self.size:
            return super().window(c, channels)
        return max(0, c - 1), c + 1
