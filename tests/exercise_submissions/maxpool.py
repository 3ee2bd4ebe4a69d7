"""Answers to the exercise on max pooling."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.layers import MaxPool
from minialexnet.windows import taps

HERE = Submissions()


class Written(MaxPool):
    """What most students write, window by window; the cache is x."""

    def forward(self, x, rng=None):
        y = np.zeros(self._output_shape(x), x.dtype)
        for i, j in np.ndindex(y.shape[1:3]):
            y[:, i, j] = self.value(self.window(x, i, j))
        return y, x

    def backward(self, dy, cache):
        dx = np.zeros_like(cache)
        for n, i, j, c in np.ndindex(dy.shape):
            seen = self.window(cache, i, j)[n, :, :, c]
            self.send(self.window(dx, i, j)[n, :, :, c], seen, dy[n, i, j, c])
        return dx, {}

    def window(self, x, i, j):
        row, column = i * self.stride, j * self.stride
        return x[:, row : row + self.kernel, column : column + self.kernel]

    def value(self, seen):
        return seen.max(axis=(1, 2))

    def send(self, back, seen, dy):
        back[np.unravel_index(seen.argmax(), seen.shape)] += dy


@HERE.correct
class WindowByWindow(Written):
    pass


@HERE.correct
class Loops(Written):
    def forward(self, x, rng=None):
        y = np.empty(self._output_shape(x), x.dtype)
        winner = {}
        _, height, width, _ = x.shape
        for n, i, j, c in np.ndindex(y.shape):
            best = None
            for row in range(i * self.stride, min(i * self.stride + self.kernel, height)):
                for column in range(j * self.stride, min(j * self.stride + self.kernel, width)):
                    if best is None or x[n, row, column, c] > x[n, *best, c]:
                        best = row, column
            y[n, i, j, c], winner[n, i, j, c] = x[n, *best, c], best
        return y, (x.shape, winner)

    def backward(self, dy, cache):
        shape, winner = cache
        dx = np.zeros(shape, dy.dtype)
        for (n, i, j, c), (row, column) in winner.items():
            dx[n, row, column, c] += dy[n, i, j, c]
        return dx, {}


@HERE.correct
class PlaceByPlace(MaxPool):
    """The K x K places in turn; the number of the place that won is the cache."""

    def forward(self, x, rng=None):
        y = np.full(self._output_shape(x), -np.inf, x.dtype)
        winner = np.zeros(y.shape, int)
        for place, (seen, pixel) in enumerate(taps(x.shape, y.shape, self.kernel, self.stride)):
            better = x[pixel] > y[seen]
            winner[seen] = np.where(better, place, winner[seen])
            y[seen] = np.where(better, x[pixel], y[seen])
        return y, (x.shape, winner)

    def backward(self, dy, cache):
        shape, winner = cache
        dx = np.zeros(shape, dy.dtype)
        for place, (seen, pixel) in enumerate(taps(shape, dy.shape, self.kernel, self.stride)):
            dx[pixel] += dy[seen] * (winner[seen] == place)
        return dx, {}


@HERE.correct
class ArgmaxOfStrides(MaxPool):
    """A frame of minus infinity, sliding_window_view, argmax, and np.add.at on the way back."""

    def forward(self, x, rng=None):
        n, rows, columns, channels = self._output_shape(x)
        size = [(count - 1) * self.stride + self.kernel for count in (rows, columns)]
        frame = [(0, max(0, side - has)) for side, has in zip(size, x.shape[1:3], strict=True)]
        framed = np.pad(x, ((0, 0), *frame, (0, 0)), constant_values=-np.inf)
        view = np.lib.stride_tricks.sliding_window_view(framed, (self.kernel,) * 2, (1, 2))
        view = view[:, : size[0] : self.stride, : size[1] : self.stride][:, :rows, :columns]
        flat = view.reshape(n, rows, columns, channels, -1)
        place = flat.argmax(axis=-1)
        return np.take_along_axis(flat, place[..., None], -1)[..., 0], (x.shape, place)

    def backward(self, dy, cache):
        shape, place = cache
        dx = np.zeros(shape, dy.dtype)
        n, i, j, c = np.indices(dy.shape)
        row, column = i * self.stride + place // self.kernel, j * self.stride + place % self.kernel
        np.add.at(dx, (n, row, column, c), dy)
        return dx, {}


@HERE.mistake("goes to every one of the largest")
class EveryOneOfTheLargest(Written):
    def send(self, back, seen, dy):
        back += dy * (seen == seen.max())


@HERE.mistake("shared among the largest")
class SharedAmongTheLargest(Written):
    def send(self, back, seen, dy):
        largest = seen == seen.max()
        back += dy * largest / largest.sum()


@HERE.mistake("the last of the largest")
class LastOfTheLargest(Written):
    def send(self, back, seen, dy):
        turned = seen[::-1, ::-1]
        back[::-1, ::-1][np.unravel_index(turned.argmax(), turned.shape)] += dy


@HERE.mistake("down the columns first")
class ColumnsFirst(Written):
    def send(self, back, seen, dy):
        super().send(back.T, seen.T, dy)


@HERE.mistake("must be added (+=)")
class OverlapsOverwrite(Written):
    def send(self, back, seen, dy):
        back[np.unravel_index(seen.argmax(), seen.shape)] = dy


@HERE.mistake("of negative numbers the largest is negative too")
class BeginsAtZero(Written):
    def value(self, seen):
        return np.maximum(seen.max(axis=(1, 2)), 0)


@HERE.mistake("the stride is forgotten")
class StrideForgotten(Written):
    def window(self, x, i, j):
        return x[:, i : i + self.kernel, j : j + self.kernel]


@HERE.mistake("ceil decides")
class NeverOverTheEdge(Written):
    """The size of y as if ceil were always False."""

    def _output_shape(self, x):
        ceil, self.ceil = self.ceil, False
        try:
            return super()._output_shape(x)
        finally:
            self.ceil = ceil


@HERE.mistake("the smallest of the window")
class Smallest(Written):
    def value(self, seen):
        return seen.min(axis=(1, 2))


@HERE.mistake("the mean of the window")
class Mean(Written):
    def value(self, seen):
        return seen.mean(axis=(1, 2))


@HERE.mistake("the largest of all channels")
class OverTheChannelsToo(Written):
    def value(self, seen):
        return np.repeat(seen.max(axis=(1, 2, 3))[:, None], seen.shape[3], axis=1)


@HERE.mistake("only where the largest stood")
class SharesAlike(Written):
    def send(self, back, seen, dy):
        back += dy / seen.size


@HERE.mistake("the largest magnitude")
class LargestMagnitude(Written):
    def value(self, seen):
        return abs(seen).max(axis=(1, 2))


@HERE.mistake("dy is multiplied by x")
class TimesX(Written):
    def send(self, back, seen, dy):
        super().send(back, seen, dy * seen.max())


@HERE.mistake("float32 became float64")
class Float64Creep(Written):
    def forward(self, x, rng=None):
        y, cache = super().forward(x)
        return y + np.zeros(y.shape), cache


@HERE.mistake("x was written into")
class CrossesOut(Written):
    """Marks the winners in x itself."""

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        cache[dx != 0] = -np.inf
        return dx, grads


@HERE.mistake("twice as large")
class DoubledGradient(Written):
    def send(self, back, seen, dy):
        super().send(back, seen, 2 * dy)


@HERE.mistake("0.1 %")
class AThousandth(Written):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx * dx.dtype.type(1.001), grads


@HERE.mistake("belongs in the cache")
class RemembersX(Written):
    def forward(self, x, rng=None):
        y, self.x = super().forward(x)
        return y, None

    def backward(self, dy, cache):
        return super().backward(dy, self.x)


@HERE.mistake("right for square pictures only")
class SquarePicturesOnly(Written):
    """Rows and columns are counted alike."""

    def _output_shape(self, x):
        n, rows, columns, channels = super()._output_shape(x)
        return n, min(rows, columns), min(rows, columns), channels


@HERE.mistake(None)
class WholeBlocksOnly(Written):
    """Windows that lie side by side, as a reshape makes them."""

    def window(self, x, i, j):
        step = min(self.kernel, self.stride)
        i, j = i * step, j * step
        return x[:, i : i + step, j : j + step]
