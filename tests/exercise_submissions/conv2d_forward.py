"""Answers to the exercise on convolution, forward."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.layers import Conv2D
from minialexnet.windows import padded, windows

HERE = Submissions()


class Written(Conv2D):
    """What the student's file holds beside forward; `take` is what most of them write."""

    def backward(self, dy, cache):
        raise NotImplementedError()

    def frame(self, x):
        return np.pad(x, ((0, 0), *self.pad, (0, 0)))

    def size(self, x):
        return (
            (x.shape[1] - self.kernel) // self.stride + 1,
            (x.shape[2] - self.kernel) // self.stride + 1,
        )

    def forward(self, x, rng=None):
        x = self.frame(x)
        weight = self.params["weight"].reshape(-1, self.filters)
        rows, columns = self.size(x)
        y = np.zeros((len(x), rows, columns, self.filters), x.dtype)
        for i in range(rows):
            for j in range(columns):
                y[:, i, j] = self.window(x, i, j).reshape(len(x), -1) @ weight
        return self.biased(y), x

    def window(self, x, i, j):
        row, column = i * self.stride, j * self.stride
        return x[:, row : row + self.kernel, column : column + self.kernel]

    def biased(self, y):
        return y + self.params["bias"]


@HERE.correct
class PlaceByPlace(Written):
    pass


@HERE.correct
class SevenLoops(Written):
    def forward(self, x, rng=None):
        x, weight = self.frame(x), self.params["weight"]
        rows, columns = self.size(x)
        y = np.zeros((len(x), rows, columns, self.filters), x.dtype)
        for n, i, j, o in np.ndindex(y.shape):
            total = self.params["bias"][o]
            for k in range(self.kernel):
                for l in range(self.kernel):  # noqa: E741
                    pixel = x[n, i * self.stride + k, j * self.stride + l]
                    for c in range(self.channels):
                        total += pixel[c] * weight[k, l, c, o]
            y[n, i, j, o] = total
        return y, None


@HERE.correct
class Einsum(Written):
    def forward(self, x, rng=None):
        view = np.lib.stride_tricks.sliding_window_view(
            self.frame(x), (self.kernel, self.kernel), axis=(1, 2)
        )[:, :: self.stride, :: self.stride]
        y = np.einsum("nijckl,klco->nijo", view, self.params["weight"])
        return y + self.params["bias"], x


@HERE.correct
class KernelByKernelPlace(Written):
    """One product for each of the K x K places, as scipy's users shift pictures."""

    def forward(self, x, rng=None):
        x = self.frame(x)
        rows, columns = self.size(x)
        y = np.zeros((len(x), rows, columns, self.filters), x.dtype) + self.params["bias"]
        for k, l in np.ndindex(self.kernel, self.kernel):  # noqa: E741
            down = slice(k, k + (rows - 1) * self.stride + 1, self.stride)
            across = slice(l, l + (columns - 1) * self.stride + 1, self.stride)
            y += x[:, down, across] @ self.params["weight"][k, l]
        return y, x


@HERE.correct
class Fourier(Written):
    """By the convolution theorem, then every S-th place."""

    def forward(self, x, rng=None):
        x = self.frame(x)
        shape = x.shape[1:3]
        spectrum = np.fft.rfft2(x, axes=(1, 2))
        filters = np.conj(np.fft.rfft2(self.params["weight"], shape, axes=(0, 1)))
        y = np.fft.irfft2(np.einsum("nijc,ijco->nijo", spectrum, filters), shape, axes=(1, 2))
        valid = [size - self.kernel + 1 for size in shape]
        y = y[:, : valid[0] : self.stride, : valid[1] : self.stride]
        return (y + self.params["bias"]).astype(x.dtype), x


@HERE.mistake("the bias is forgotten")
class ForgottenBias(Written):
    def biased(self, y):
        return y


@HERE.mistake("the bias is added at each place of the kernel")
class BiasAtEachPlace(Written):
    def biased(self, y):
        return y + self.kernel**2 * self.params["bias"]


@HERE.mistake("the filters are turned round")
class TrueConvolution(Written):
    def window(self, x, i, j):
        return super().window(x, i, j)[:, ::-1, ::-1]


@HERE.mistake("rows and columns swapped")
class KernelSidesSwapped(Written):
    def window(self, x, i, j):
        return super().window(x, i, j).swapaxes(1, 2)


@HERE.mistake("the padding is forgotten")
class NoPadding(Written):
    def frame(self, x):
        return x


@HERE.mistake("padding are swapped")
class PaddingSwapped(Written):
    def frame(self, x):
        rows, columns = self.pad
        return np.pad(x, ((0, 0), columns, rows, (0, 0)))


@HERE.mistake("the same padding on all sides")
class SamePaddingOnAllSides(Written):
    """Right only where top = bottom and left = right."""

    def frame(self, x):
        (top, _), (left, _) = self.pad
        return np.pad(x, ((0, 0), (top, top), (left, left), (0, 0)))


@HERE.mistake("the pixels at the edge")
class EdgePadding(Written):
    def frame(self, x):
        return np.pad(x, ((0, 0), *self.pad, (0, 0)), mode="edge")


@HERE.mistake("the stride is forgotten")
class StrideForgottenInTheWindow(Written):
    def window(self, x, i, j):
        return x[:, i : i + self.kernel, j : j + self.kernel]


@HERE.mistake("the stride is ignored")
class StrideIgnored(Written):
    def forward(self, x, rng=None):
        stride, self.stride = self.stride, 1
        try:
            return super().forward(x)
        finally:
            self.stride = stride


@HERE.mistake("one window too few")
class OneWindowTooFew(Written):
    def size(self, x):
        return (
            (x.shape[1] - self.kernel) // self.stride,
            (x.shape[2] - self.kernel) // self.stride,
        )


@HERE.mistake("right for square pictures only")
class SquarePicturesOnly(Written):
    """The number of columns is that of the rows."""

    def size(self, x):
        rows = (min(x.shape[1:3]) - self.kernel) // self.stride + 1
        return rows, rows


@HERE.mistake("last row and column are left out")
class KernelOneTooSmall(Written):
    def window(self, x, i, j):
        seen = super().window(x, i, j).copy()
        seen[:, -1], seen[:, :, -1] = 0, 0
        return seen


@HERE.mistake("only the first channel")
class FirstChannelOnly(Written):
    def window(self, x, i, j):
        seen = super().window(x, i, j).copy()
        seen[..., 1:] = 0
        return seen


@HERE.mistake("the mean over the window")
class MeanOverTheWindow(Written):
    def window(self, x, i, j):
        return super().window(x, i, j) / x.dtype.type(self.kernel**2)


@HERE.mistake("reshaping mixed up the weight")
class WeightReshapedWrongly(Written):
    def forward(self, x, rng=None):
        x = padded(x, self.pad)
        view = windows(x, self.kernel, self.stride)
        matrix = self.params["weight"].reshape(self.filters, -1)
        y = view.reshape(-1, matrix.shape[1]) @ matrix.T
        return y.reshape(*view.shape[:3], self.filters) + self.params["bias"], x


@HERE.mistake("float32 became float64")
class Float64Creep(Written):
    def biased(self, y):
        return np.zeros(y.shape) + y + self.params["bias"]


@HERE.mistake("x was written into")
class InPlace(Written):
    def frame(self, x):
        framed = super().frame(x)
        x -= x.mean()
        return framed


@HERE.mistake("0.1 %")
class AThousandth(Written):
    def biased(self, y):
        return (y + self.params["bias"]) * y.dtype.type(1.001)


@HERE.mistake("no ReLU here")
class WithReLU(Written):
    def biased(self, y):
        return np.maximum(y + self.params["bias"], 0)


@HERE.mistake("images are mixed")
class RelativeToTheBatch(Written):
    def frame(self, x):
        return super().frame(x - x.mean(axis=0))


@HERE.mistake(None)
class OddKernelsOnly(Written):
    """The window lies around the pixel 2 (K // 2) + 1 wide: right for odd kernels."""

    def window(self, x, i, j):
        seen = super().window(x, i, j)
        return seen if self.kernel % 2 else np.roll(seen, 1, axis=(1, 2))
