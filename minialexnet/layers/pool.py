"""Pooling: a window of neighbours becomes one number; AlexNet's windows overlap (section 3.4)."""

import numpy as np

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer, expect
from minialexnet.windows import line_taps, output_size, taps


class Pool(Layer):
    """What the two kinds of pooling share: a window of K x K pixels, every S pixels.

    Parameters
    ----------
    kernel, stride : K and S, pixels; 3 and 2 in the paper
    ceil : False drops the pixels that a last whole window would overrun. True keeps them in a
        window that hangs over the right or bottom edge, as cuda-convnet and Caffe do.
    """

    def __init__(self, kernel: int = 3, stride: int = 2, ceil: bool = False):
        super().__init__()
        self.kernel, self.stride, self.ceil = kernel, stride, ceil

    def _output_shape(self, x):
        expect(self, x, "N", "H", "W", "C")
        n, height, width, channels = x.shape
        rows = output_size(height, self.kernel, self.stride, self.ceil)
        columns = output_size(width, self.kernel, self.stride, self.ceil)
        return n, rows, columns, channels


class MaxPool(Pool):
    """y = the largest x in the window, channel by channel; dx is dy where the largest stood.

    The largest of a square is the largest of its rows' largest: one pass along the rows and one
    down the columns, 2 K comparisons instead of K².

    Parameters as for `Pool`.

    Notes
    -----
    Among equals the first in reading order counts, as in Caffe and PyTorch. (cuda-convnet gives dy
    to every one of them.) The cache holds which of the K places won, for each of the two passes.
    """

    def forward(self, x, rng=None):
        _, rows, columns, _ = self._output_shape(x)
        y, across = self._largest(x, 2, columns)
        y, down = self._largest(y, 1, rows)
        return y, (x.shape, across, down)

    def backward(self, dy, cache):
        x_shape, across, down = cache
        return self._sent_back(self._sent_back(dy, down, 1, across.shape), across, 2, x_shape), {}

    def _largest(self, x, axis: int, count: int):
        """The maxima over the windows along one axis, and the places where they stood."""
        xp = namespace(x)
        shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
        (_, first), *others = line_taps(x.shape, shape, axis, self.kernel, self.stride)
        y = x[first].copy()
        winner = xp.zeros(shape, np.min_scalar_type(self.kernel - 1))
        for place, (window, pixel) in enumerate(others, start=1):
            # Places come in rising order, so the last that was better than all before it won.
            better = (x[pixel] > y[window]) * winner.dtype.type(place)
            xp.maximum(winner[window], better, out=winner[window])
            xp.maximum(y[window], x[pixel], out=y[window])
        return y, winner

    def _sent_back(self, dy, winner, axis: int, x_shape):
        """The gradient at the places that won, 0 elsewhere."""
        dx = namespace(dy).zeros(x_shape, dy.dtype)
        places = line_taps(x_shape, dy.shape, axis, self.kernel, self.stride)
        for place, (window, pixel) in enumerate(places):
            dx[pixel] += dy[window] * (winner[window] == place)
        return dx


class AveragePool(Pool):
    """y = the mean of x in the window, channel by channel; dy is shared out in equal parts.

    Parameters as for `Pool`.

    Notes
    -----
    A window that hangs over the edge averages over the pixels that it covers, as in cuda-convnet
    (conv_util.cuh); so does PyTorch's, rounding up and without padding.
    """

    def forward(self, x, rng=None):
        y = namespace(x).zeros(self._output_shape(x), x.dtype)
        for window, pixel in taps(x.shape, y.shape, self.kernel, self.stride):
            y[window] += x[pixel]
        area = self._area(x, y)
        return y / area, (x.shape, area)

    def backward(self, dy, cache):
        x_shape, area = cache
        dx = namespace(dy).zeros(x_shape, dy.dtype)
        share = dy / area
        for window, pixel in taps(x_shape, dy.shape, self.kernel, self.stride):
            dx[pixel] += share[window]
        return dx, {}

    def _area(self, x, y):
        """How many pixels each window covers: (1, OH, OW, 1)."""
        area = namespace(x).zeros((1, *y.shape[1:3], 1), x.dtype)
        for window, _ in taps(x.shape, y.shape, self.kernel, self.stride):
            area[window] += 1
        return area
