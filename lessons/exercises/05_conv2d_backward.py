"""Convolution, backward.

Write `backward` of convolution; `forward` is there, and its cache is the padded picture. Return
dx, of the shape of the picture without its padding, and {"weight": dweight, "bias": dbias}. Where
`self.input_grad` is False the input is a picture, which nobody trains: return None for dx.

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("conv2d_backward", Conv2D)
    exercise.hint("conv2d_backward")
"""

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
        # YOUR CODE HERE
        raise NotImplementedError()


def _correlated(x, weight, stride: int):
    """Every filter laid on every window, as one matrix product: (N, OH, OW, O)."""
    view = windows(x, weight.shape[0], stride)
    filters = weight.shape[3]
    matrix = weight.reshape(-1, filters)
    return (view.reshape(-1, len(matrix)) @ matrix).reshape(*view.shape[:3], filters)
