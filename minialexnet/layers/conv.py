"""Convolution: the same filters at every place of the picture."""

import numpy as np

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer, constant, expect, normal, sides
from minialexnet.windows import add_windows, cropped, padded, windows


class Conv2D(Layer):
    """y[n, i, j, o] = bias[o] + sum over k, l, c of x[n, iS + k, jS + l, c] weight[k, l, c, o].

    With the windows unrolled into the rows of a matrix X, this is one matrix product, Y = X W + b.
    Hence dW = Xᵀ dY and dX = dY Wᵀ, and dx adds every window of dX back to where it came from.

    Parameters
    ----------
    channels, filters : C and O
    kernel, stride : K and S, pixels
    pad : zeros around the picture, pixels; one number, or ((top, bottom), (left, right))
    bias : initial bias; the paper sets 1 in conv2, conv4 and conv5
    std : standard deviation of the initial weights, 0.01 in the paper
    rng : the generator that draws them
    input_grad : False where the input is a picture, which nobody trains: dx is None

    params: weight (K, K, C, O), bias (O,)

    Notes
    -----
    Pixels that a last whole window would overrun are not looked at. cuda-convnet lets that window
    hang over the right and bottom edge instead: pad there to have it so. The cache is the padded
    picture, not the unrolled matrix, which is up to K² / S² times as big and quick to make again.
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel: int,
        stride: int = 1,
        pad=0,
        *,
        bias: float = 0.0,
        std: float = 0.01,
        rng: np.random.Generator,
        input_grad: bool = True,
    ):
        super().__init__(
            weight=normal(rng, std, (kernel, kernel, channels, filters)),
            bias=constant(bias, filters),
        )
        self.channels, self.filters = channels, filters
        self.kernel, self.stride, self.pad = kernel, stride, sides(pad)
        self.input_grad = input_grad

    def forward(self, x, rng=None):
        expect(self, x, "N", "H", "W", self.channels)
        namespace(x, self.params["weight"])
        x = padded(x, self.pad)
        return _correlated(x, self.params["weight"], self.stride) + self.params["bias"], x

    def backward(self, dy, cache):
        x, weight = cache, self.params["weight"]
        view = windows(x, self.kernel, self.stride)
        rows = dy.reshape(-1, self.filters)
        dweight = view.reshape(len(rows), -1).T @ rows
        grads = {"weight": dweight.reshape(weight.shape), "bias": rows.sum(axis=0)}
        if not self.input_grad:
            return None, grads
        if self.stride == 1 and max(map(max, self.pad)) < self.kernel:
            # What the sum below comes to at stride 1: a convolution of dy with the filters turned
            # round. One product and no adding up is quicker.
            turned = weight[::-1, ::-1].swapaxes(2, 3)
            rest = [[self.kernel - 1 - pad for pad in side] for side in self.pad]
            return _correlated(padded(dy, rest), turned, 1), grads
        dwindows = rows @ weight.reshape(-1, self.filters).T
        return cropped(
            add_windows(dwindows.reshape(view.shape), x.shape, self.stride), self.pad
        ), grads


def _correlated(x, weight, stride: int):
    """Every filter laid on every window, as one matrix product: (N, OH, OW, O)."""
    view = windows(x, weight.shape[0], stride)
    filters = weight.shape[3]
    matrix = weight.reshape(-1, filters)
    return (view.reshape(-1, len(matrix)) @ matrix).reshape(*view.shape[:3], filters)
