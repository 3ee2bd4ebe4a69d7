"""Answers to the exercise on average pooling."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.layers import AveragePool
from minialexnet.windows import taps

HERE = Submissions()


class Written(AveragePool):
    """What most students write, window by window; the cache is the shape of x."""

    def forward(self, x, rng=None):
        y = np.zeros(self._output_shape(x), x.dtype)
        for i, j in np.ndindex(y.shape[1:3]):
            y[:, i, j] = self.value(self.window(x, i, j))
        return y, x

    def backward(self, dy, cache):
        dx = np.zeros_like(cache)
        for i, j in np.ndindex(dy.shape[1:3]):
            back = self.window(dx, i, j)
            self.send(back, dy[:, i : i + 1, j : j + 1], back.shape[1] * back.shape[2])
        return dx, {}

    def window(self, x, i, j):
        row, column = i * self.stride, j * self.stride
        return x[:, row : row + self.kernel, column : column + self.kernel]

    def value(self, seen):
        return seen.mean(axis=(1, 2))

    def send(self, back, dy, area):
        back += dy / area


@HERE.correct
class WindowByWindow(Written):
    pass


@HERE.correct
class Loops(Written):
    def forward(self, x, rng=None):
        y = np.zeros(self._output_shape(x), x.dtype)
        for n, i, j, c in np.ndindex(y.shape):
            total, count = 0, 0
            for k, l in np.ndindex(self.kernel, self.kernel):  # noqa: E741
                row, column = i * self.stride + k, j * self.stride + l
                if row < x.shape[1] and column < x.shape[2]:
                    total, count = total + x[n, row, column, c], count + 1
            y[n, i, j, c] = total / count
        return y, x

    def backward(self, dy, cache):
        dx = np.zeros_like(cache)
        _, height, width, _ = dx.shape
        for n, i, j, c in np.ndindex(dy.shape):
            rows = range(i * self.stride, min(i * self.stride + self.kernel, height))
            columns = range(j * self.stride, min(j * self.stride + self.kernel, width))
            for row in rows:
                for column in columns:
                    dx[n, row, column, c] += dy[n, i, j, c] / (len(rows) * len(columns))
        return dx, {}


@HERE.correct
class BandMatrices(AveragePool):
    """One matrix for the rows and one for the columns: y = R x Cᵀ, dx = Rᵀ dy C."""

    def forward(self, x, rng=None):
        y_shape = self._output_shape(x)
        bands = [self.band(x.shape[axis], y_shape[axis]).astype(x.dtype) for axis in (1, 2)]
        return np.einsum("ih,jw,nhwc->nijc", *bands, x), bands

    def backward(self, dy, cache):
        return np.einsum("ih,jw,nijc->nhwc", *cache, dy), {}

    def band(self, size, count):
        offset = np.arange(size) - self.stride * np.arange(count)[:, None]
        inside = (offset >= 0) & (offset < self.kernel)
        return inside / inside.sum(axis=1, keepdims=True)


@HERE.correct
class RunningSums(Written):
    """Differences of a table of sums, as in integral images."""

    def forward(self, x, rng=None):
        n, rows, columns, channels = self._output_shape(x)
        table = np.zeros((n, x.shape[1] + 1, x.shape[2] + 1, channels))
        table[:, 1:, 1:] = x.astype(np.float64).cumsum(axis=1).cumsum(axis=2)
        top, left = self.stride * np.arange(rows), self.stride * np.arange(columns)
        bottom = np.minimum(top + self.kernel, x.shape[1])
        right = np.minimum(left + self.kernel, x.shape[2])
        total = (
            table[:, bottom][:, :, right]
            - table[:, top][:, :, right]
            - table[:, bottom][:, :, left]
            + table[:, top][:, :, left]
        )
        area = (bottom - top)[:, None, None] * (right - left)[:, None]
        return (total / area).astype(x.dtype), x


@HERE.mistake("it was not divided by the number of pixels")
class Sum(Written):
    def value(self, seen):
        return seen.sum(axis=(1, 2))


@HERE.mistake("dy was not divided by the number of pixels")
class GradientOfASum(Written):
    def send(self, back, dy, area):
        back += dy


@HERE.mistake("divide by what it covers")
class AlwaysByTheWholeWindow(Written):
    def value(self, seen):
        return seen.sum(axis=(1, 2)) / seen.dtype.type(self.kernel**2)


@HERE.mistake("divide by what it covers")
class GradientByTheWholeWindow(Written):
    def send(self, back, dy, area):
        back += dy / self.kernel**2


@HERE.mistake("divided by K: a window has K² pixels")
class DividedByK(Written):
    def value(self, seen):
        return seen.sum(axis=(1, 2)) / seen.dtype.type(self.kernel)


@HERE.mistake("not written over")
class OverlapsOverwrite(Written):
    def send(self, back, dy, area):
        back[:] = dy / area


@HERE.mistake("the stride is forgotten")
class StrideForgotten(Written):
    def window(self, x, i, j):
        return x[:, i : i + self.kernel, j : j + self.kernel]


@HERE.mistake("ceil decides")
class NeverOverTheEdge(Written):
    def _output_shape(self, x):
        ceil, self.ceil = self.ceil, False
        try:
            return super()._output_shape(x)
        finally:
            self.ceil = ceil


@HERE.mistake("the largest of the window")
class Largest(Written):
    def value(self, seen):
        return seen.max(axis=(1, 2))


@HERE.mistake("the mean over all channels")
class OverTheChannelsToo(Written):
    def value(self, seen):
        return np.repeat(seen.mean(axis=(1, 2, 3))[:, None], seen.shape[3], axis=1)


@HERE.mistake("only the first pixel of each window")
class FirstPixelOnly(Written):
    def send(self, back, dy, area):
        back[:, :1, :1] += dy


@HERE.mistake("divided by N")
class MeanOverTheBatch(Written):
    def send(self, back, dy, area):
        back += dy / area / len(dy)


@HERE.mistake("float32 became float64")
class Float64Creep(AveragePool):
    def backward(self, dy, cache):
        shape, area = cache
        dx = np.zeros(shape)
        for seen, pixel in taps(shape, dy.shape, self.kernel, self.stride):
            dx[pixel] += (dy / area)[seen]
        return dx, {}


@HERE.mistake("dy was written into")
class DyInPlace(AveragePool):
    def backward(self, dy, cache):
        dy /= cache[1]
        return super().backward(dy, (cache[0], np.ones_like(cache[1])))


@HERE.mistake("twice as large")
class DoubledGradient(Written):
    def send(self, back, dy, area):
        back += 2 * dy / area


@HERE.mistake("0.1 %")
class AThousandth(Written):
    def value(self, seen):
        return super().value(seen) * seen.dtype.type(1.001)


@HERE.mistake("dy is multiplied by x")
class TimesX(Written):
    def backward(self, dy, cache):
        dx = np.zeros_like(cache)
        for i, j in np.ndindex(dy.shape[1:3]):
            seen = self.window(cache, i, j)
            area = seen.shape[1] * seen.shape[2]
            self.window(dx, i, j)[:] += dy[:, i : i + 1, j : j + 1] * seen / area
        return dx, {}


@HERE.mistake("belongs in the cache")
class RemembersX(Written):
    def forward(self, x, rng=None):
        y, self.x = super().forward(x)
        return y, None

    def backward(self, dy, cache):
        return super().backward(dy, self.x)


@HERE.mistake(None)
class LastRowLost(Written):
    """The window ends one row early where it is whole."""

    def window(self, x, i, j):
        seen = super().window(x, i, j)
        return seen[:, :-1] if seen.shape[1] == self.kernel > 2 else seen
