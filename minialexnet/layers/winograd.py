"""Winograd's convolution: the same result from a third of the multiplications, or fewer."""

from functools import cache

import numpy as np

from minialexnet.backend import namespace
from minialexnet.layers.base import Wrapper, expect
from minialexnet.layers.conv import Conv2D
from minialexnet.windows import add_windows, cropped, output_size, padded, windows

# A tile holds TILE x TILE outputs.
TILE = 4


class Winograd(Wrapper):
    """A `Conv2D` of stride 1, worked out on tiles of the picture with fewer multiplications.

    Filtering is multiplying polynomials, and a product of polynomials is quick once one knows
    their values at some points: value times value, place by place. For a tile of 4 x 4 outputs:

    D = B tile Bᵀ      the values of the (3 + K) x (3 + K) pixels that the tile sees
    U = G filter Gᵀ    those of the filter
    y = Aᵀ (D U) A     back from values to outputs

    D U is one matrix product over the channels for each of the (3 + K)² values. That is 36
    multiplications for 16 outputs where plain convolution has 144 (K = 3), 64 for its 400 (K = 5).
    Backward is the same way back, each matrix transposed.

    Parameters
    ----------
    conv : the convolution, of stride 1 and a kernel of 3 or 5. Its parameters stay its own.

    Raises
    ------
    ValueError
        For other strides and kernels.

    Notes
    -----
    Winograd (1980); Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015). In
    float32 results differ from the plain convolution's by some 1e-5 of the largest, ten times the
    rounding of that. The cache is the padded picture.
    """

    KERNELS = (3, 5)

    def __init__(self, conv: Conv2D):
        if conv.stride != 1 or conv.kernel not in self.KERNELS:
            raise ValueError(f"Winograd expects stride 1 and a kernel of 3 or 5, got {conv!r}")
        super().__init__(conv)

    def forward(self, x, rng=None):
        conv = self.layer
        expect(conv, x, "N", "H", "W", conv.channels)
        namespace(x, self.params["weight"])
        (top, bottom), (left, right) = conv.pad
        height = output_size(top + x.shape[1] + bottom, conv.kernel, 1)
        width = output_size(left + x.shape[2] + right, conv.kernel, 1)
        # More rows and columns of zeros fill the last tiles; what they give is cut off again.
        rest = (top, bottom + -height % TILE), (left, right + -width % TILE)
        frame = padded(x, rest)
        outputs, filters, tiles = _matrices(frame, conv.kernel)

        values = _both_ways(tiles, _seen(frame, conv.kernel)) @ _both_ways(
            filters, self.params["weight"]
        )
        y = _joined(_both_ways(outputs.T, values), frame, conv.kernel)
        return y[:, :height, :width] + self.params["bias"], (frame, rest)

    def backward(self, dy, cache):
        frame, rest = cache
        kernel, weight = self.layer.kernel, self.params["weight"]
        outputs, filters, tiles = _matrices(frame, kernel)
        dvalues = _both_ways(outputs, _cut(dy, frame, kernel))

        seen = _both_ways(tiles, _seen(frame, kernel))
        grads = {
            "weight": _both_ways(filters.T, seen.swapaxes(2, 3) @ dvalues),
            "bias": dy.reshape(-1, self.layer.filters).sum(axis=0),
        }
        if not self.input_grad:
            return None, grads
        dseen = _both_ways(tiles.T, dvalues @ _both_ways(filters, weight).swapaxes(2, 3))
        side = TILE + kernel - 1
        dseen = dseen.reshape(side, side, *_grid(frame, kernel), -1).transpose(2, 3, 4, 0, 1, 5)
        return cropped(add_windows(dseen, frame.shape, TILE), rest), grads


def _both_ways(matrix, tiles):
    """matrix tile matrixᵀ for every tile: (T, T, ...) to (R, R, ...) with a matrix (R, T)."""
    rows, columns, *rest = tiles.shape
    down = (matrix @ tiles.reshape(rows, -1)).reshape(len(matrix), columns, -1)
    return (matrix @ down).reshape(len(matrix), len(matrix), *rest)


def _grid(frame, kernel: int) -> tuple[int, int, int]:
    """How many images, and rows and columns of tiles in each."""
    n, height, width, _ = frame.shape
    return n, (height - kernel + 1) // TILE, (width - kernel + 1) // TILE


def _seen(frame, kernel: int):
    """The pixels that each tile sees: (T, T, tiles, C), where T is TILE + K - 1."""
    side, channels = TILE + kernel - 1, frame.shape[3]
    seen = windows(frame, side, TILE).transpose(3, 4, 0, 1, 2, 5)
    return seen.reshape(side, side, -1, channels)


def _joined(tiles, frame, kernel: int):
    """Tiles of outputs (TILE, TILE, tiles, O) put together: (N, rows, columns, O)."""
    n, rows, columns = _grid(frame, kernel)
    apart = tiles.reshape(TILE, TILE, n, rows, columns, -1).transpose(2, 3, 0, 4, 1, 5)
    return apart.reshape(n, rows * TILE, columns * TILE, -1)


def _cut(dy, frame, kernel: int):
    """The transpose of `_joined`, with zeros where the last tiles hang over."""
    n, rows, columns = _grid(frame, kernel)
    over = (0, rows * TILE - dy.shape[1]), (0, columns * TILE - dy.shape[2])
    apart = padded(dy, over).reshape(n, rows, TILE, columns, TILE, -1).transpose(2, 4, 0, 1, 3, 5)
    return apart.reshape(TILE, TILE, n * rows * columns, -1)


# Where the polynomials are evaluated; infinity (the highest coefficient) is one point more. These
# are the least inexact of the sets tried: far ones and close ones both lose digits.
POINTS = {
    3: (0.0, 2 / 3, -2 / 3, 4 / 3, -4 / 3),
    5: (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5),
}


@cache
def _host_matrices(kernel: int, dtype) -> tuple:
    """A (T, TILE), G (T, K) and B (T, T)."""
    values = [
        np.array([*np.vander(POINTS[kernel], count, increasing=True), np.eye(count)[-1]])
        for count in (TILE, kernel, TILE + kernel - 1)
    ]
    values[2] = np.linalg.inv(values[2]).T
    return tuple(matrix.astype(dtype) for matrix in values)


def _matrices(x, kernel: int):
    asarray = namespace(x).asarray
    return [asarray(matrix) for matrix in _host_matrices(kernel, x.dtype)]
