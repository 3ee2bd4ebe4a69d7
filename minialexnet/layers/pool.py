"""Pooling: a window of neighbours becomes one number; AlexNet's windows overlap (section 3.4)."""

import numpy as np

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer, expect
from minialexnet.windows import output_size, taps


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

    def _taps(self, x_shape, y_shape):
        return enumerate(taps(x_shape, y_shape, self.kernel, self.stride))


class MaxPool(Pool):
    """y = the largest x in the window, channel by channel; dx is dy where the largest stood.

    Parameters as for `Pool`.

    Notes
    -----
    Among equals the first in reading order counts. (cuda-convnet gives dy to every one of them,
    which in AlexNet differs only where all are 0 and ReLU lets nothing through anyway.) The cache
    holds for each window which of its K x K places won.
    """

    def forward(self, x, rng=None):
        xp = namespace(x)
        y = xp.full(self._output_shape(x), -np.inf, x.dtype)
        winner = xp.zeros(y.shape, np.min_scalar_type(self.kernel**2 - 1))
        for place, (window, pixel) in self._taps(x.shape, y.shape):
            # Places come in rising order, so the maximum is the last that beat all before it.
            better = (x[pixel] > y[window]) * winner.dtype.type(place)
            winner[window] = xp.maximum(winner[window], better)
            y[window] = xp.maximum(y[window], x[pixel])
        return y, (x.shape, winner)

    def backward(self, dy, cache):
        x_shape, winner = cache
        dx = namespace(dy).zeros(x_shape, dy.dtype)
        for place, (window, pixel) in self._taps(x_shape, dy.shape):
            dx[pixel] += dy[window] * (winner[window] == place)
        return dx, {}


class AveragePool(Pool):
    """y = the mean of x in the window, channel by channel; dy is shared out in equal parts.

    Parameters as for `Pool`.

    Notes
    -----
    A window that hangs over the edge averages over the pixels that it covers, as in cuda-convnet
    (conv_util.cuh). Caffe and PyTorch divide by more.
    """

    def forward(self, x, rng=None):
        y = namespace(x).zeros(self._output_shape(x), x.dtype)
        for _, (window, pixel) in self._taps(x.shape, y.shape):
            y[window] += x[pixel]
        area = self._area(x, y)
        return y / area, (x.shape, area)

    def backward(self, dy, cache):
        x_shape, area = cache
        dx = namespace(dy).zeros(x_shape, dy.dtype)
        share = dy / area
        for _, (window, pixel) in self._taps(x_shape, dy.shape):
            dx[pixel] += share[window]
        return dx, {}

    def _area(self, x, y):
        """How many pixels each window covers: (1, OH, OW, 1)."""
        area = namespace(x).zeros((1, *y.shape[1:3], 1), x.dtype)
        for _, (window, _) in self._taps(x.shape, y.shape):
            area[window] += 1
        return area
