"""Locally connected: a convolution whose filters are not shared between places."""

import numpy as np

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer, constant, expect, normal, sides
from minialexnet.windows import add_windows, cropped, output_size, padded, windows


class LocallyConnected2D(Layer):
    """Like `Conv2D`, but every place of the output has filters and biases of its own.

    y[n, i, j, o] = bias[i, j, o]
                    + sum over k, l, c of x[n, iS + k, jS + l, c] weight[i, j, k, l, c, o]

    One matrix product a place: the windows that all images have there, times the filters there.

    Parameters
    ----------
    height, width : H and W, pixels: the number of places depends on them
    channels, filters, kernel, stride, pad, bias, std, rng : as for Conv2D

    params: weight (OH, OW, K, K, C, O), bias (OH, OW, O)

    Raises
    ------
    ValueError
        If the window does not fit into the padded picture.

    Notes
    -----
    cuda-convnet's "local" layer, in its nets of 13 and 11 % error on CIFAR-10.
    """

    def __init__(
        self,
        height: int,
        width: int,
        channels: int,
        filters: int,
        kernel: int,
        stride: int = 1,
        pad=0,
        *,
        bias: float = 0.0,
        std: float = 0.01,
        rng: np.random.Generator,
    ):
        (top, bottom), (left, right) = sides(pad)
        rows = output_size(top + height + bottom, kernel, stride)
        columns = output_size(left + width + right, kernel, stride)
        super().__init__(
            weight=normal(rng, std, (rows, columns, kernel, kernel, channels, filters)),
            bias=constant(bias, (rows, columns, filters)),
        )
        self.height, self.width = height, width
        self.channels, self.filters = channels, filters
        self.kernel, self.stride, self.pad = kernel, stride, sides(pad)

    def forward(self, x, rng=None):
        expect(self, x, "N", self.height, self.width, self.channels)
        namespace(x, self.params["weight"])
        x = padded(x, self.pad)
        y = self._by_place(windows(x, self.kernel, self.stride)) @ self._matrices()
        y = y.swapaxes(0, 1).reshape(len(x), *self.params["bias"].shape)
        return y + self.params["bias"], x

    def backward(self, dy, cache):
        x = cache
        view = windows(x, self.kernel, self.stride)
        dplaces = dy.reshape(len(dy), -1, self.filters).swapaxes(0, 1)
        dweight = self._by_place(view).swapaxes(1, 2) @ dplaces
        dwindows = (dplaces @ self._matrices().swapaxes(1, 2)).swapaxes(0, 1)
        dx = add_windows(dwindows.reshape(view.shape), x.shape, self.stride)
        grads = {"weight": dweight.reshape(self.params["weight"].shape), "bias": dy.sum(axis=0)}
        return cropped(dx, self.pad), grads

    def _by_place(self, view):
        """The windows as (OH OW, N, K K C)."""
        n, rows, columns = view.shape[:3]
        return view.reshape(n, rows * columns, -1).swapaxes(0, 1)

    def _matrices(self):
        """The filters as (OH OW, K K C, O)."""
        rows, columns, *_, filters = self.params["weight"].shape
        return self.params["weight"].reshape(rows * columns, -1, filters)
