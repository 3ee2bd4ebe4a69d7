"""Answers to the exercise on convolution, backward."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.layers import Conv2D
from minialexnet.windows import add_windows, cropped, windows

HERE = Submissions()


class Written(Conv2D):
    """What most students write, place by place."""

    def backward(self, dy, cache):
        x, weight = cache, self.params["weight"]
        dx, dweight = np.zeros_like(x), np.zeros_like(weight)
        for i, j in np.ndindex(dy.shape[1:3]):
            rows, columns = self.place(i, j)
            dweight += self.for_weight(x[:, rows, columns], dy[:, i, j])
            self.send(dx, rows, columns, self.for_window(dy[:, i, j], weight))
        return self.finished(dx, dweight, self.for_bias(dy))

    def place(self, i, j):
        i, j = i * self.stride, j * self.stride
        return slice(i, i + self.kernel), slice(j, j + self.kernel)

    def for_weight(self, seen, dy):
        return np.tensordot(seen, dy, axes=(0, 0))

    def for_window(self, dy, weight):
        return np.tensordot(dy, weight, axes=(1, 3))

    def send(self, dx, rows, columns, back):
        dx[:, rows, columns] += back

    def for_bias(self, dy):
        return dy.sum(axis=(0, 1, 2))

    def finished(self, dx, dweight, dbias):
        dx = cropped(dx, self.pad) if self.input_grad else None
        return dx, {"weight": dweight, "bias": dbias}


@HERE.correct
class PlaceByPlace(Written):
    pass


@HERE.correct
class Loops(Conv2D):
    def backward(self, dy, cache):
        x, weight = cache, self.params["weight"]
        dx, dweight, dbias = np.zeros_like(x), np.zeros_like(weight), np.zeros_like(weight[0, 0, 0])
        for n, i, j, o in np.ndindex(dy.shape):
            dbias[o] += dy[n, i, j, o]
            for k, l in np.ndindex(self.kernel, self.kernel):  # noqa: E741
                row, column = i * self.stride + k, j * self.stride + l
                dweight[k, l, :, o] += dy[n, i, j, o] * x[n, row, column]
                dx[n, row, column] += dy[n, i, j, o] * weight[k, l, :, o]
        grads = {"weight": dweight, "bias": dbias}
        return (cropped(dx, self.pad) if self.input_grad else None), grads


@HERE.correct
class Einsum(Conv2D):
    def backward(self, dy, cache):
        view = windows(cache, self.kernel, self.stride)
        grads = {
            "weight": np.einsum("nijklc,nijo->klco", view, dy),
            "bias": np.einsum("nijo->o", dy),
        }
        if not self.input_grad:
            return None, grads
        back = np.einsum("nijo,klco->nijklc", dy, self.params["weight"])
        return cropped(add_windows(back, cache.shape, self.stride), self.pad), grads


@HERE.correct
class FullCorrelation(Conv2D):
    """dy with S - 1 zeros between its numbers, filtered with the weight turned round."""

    def backward(self, dy, cache):
        n, height, width, _ = cache.shape
        spread = np.zeros((n, height + self.kernel - 1, width + self.kernel - 1, self.filters))
        spread = spread.astype(dy.dtype)
        first, (rows, columns) = self.kernel - 1, dy.shape[1:3]
        down = slice(first, first + (rows - 1) * self.stride + 1, self.stride)
        across = slice(first, first + (columns - 1) * self.stride + 1, self.stride)
        spread[:, down, across] = dy
        turned = self.params["weight"][::-1, ::-1]
        dx = np.tensordot(windows(spread, self.kernel, 1), turned, axes=([3, 4, 5], [0, 1, 3]))
        view = windows(cache, self.kernel, self.stride)
        dweight = np.tensordot(view, dy, axes=([0, 1, 2], [0, 1, 2]))
        grads = {"weight": dweight, "bias": dy.sum((0, 1, 2))}
        return (cropped(dx, self.pad) if self.input_grad else None), grads


@HERE.mistake("not written over")
class OverlapsOverwrite(Written):
    def send(self, dx, rows, columns, back):
        dx[:, rows, columns] = back


@HERE.mistake("the padding must be cut off")
class PaddingNotCutOff(Written):
    def finished(self, dx, dweight, dbias):
        return (dx if self.input_grad else None), {"weight": dweight, "bias": dbias}


@HERE.mistake("cut off at the wrong side")
class CutOffAtTheWrongSide(Written):
    def finished(self, dx, dweight, dbias):
        _, grads = super().finished(dx, dweight, dbias)
        (top, bottom), (left, right) = self.pad
        cut = dx[:, : dx.shape[1] - top - bottom, : dx.shape[2] - left - right]
        return (cut if self.input_grad else None), grads


@HERE.mistake("H and W swapped")
class WeightSidesSwapped(Written):
    def for_weight(self, seen, dy):
        return super().for_weight(seen, dy).swapaxes(0, 1)


@HERE.mistake("turned round")
class FiltersTurned(Written):
    def for_window(self, dy, weight):
        return super().for_window(dy, weight[::-1, ::-1])


@HERE.mistake("turned round")
class DweightTurned(Written):
    def for_weight(self, seen, dy):
        return super().for_weight(seen, dy)[::-1, ::-1]


@HERE.mistake("the stride is forgotten")
class StrideForgotten(Written):
    def place(self, i, j):
        return slice(i, i + self.kernel), slice(j, j + self.kernel)


@HERE.mistake("dbias should be the sum")
class MeanBias(Written):
    def for_bias(self, dy):
        return dy.mean(axis=(0, 1, 2))


@HERE.mistake("sum over the places too")
class BiasOverTheBatchOnly(Written):
    def for_bias(self, dy):
        return dy.sum(axis=0)


@HERE.mistake("dbias is 0 everywhere")
class ForgottenBias(Written):
    def for_bias(self, dy):
        return np.zeros(self.filters, dy.dtype)


@HERE.mistake("divided by N")
class MeanOverTheBatch(Written):
    def finished(self, dx, dweight, dbias):
        return super().finished(dx, dweight / dx.dtype.type(len(dx)), dbias)


@HERE.mistake("twice as large")
class DoubledGradient(Written):
    def finished(self, dx, dweight, dbias):
        return super().finished(2 * dx, dweight, dbias)


@HERE.mistake("0.1 %")
class AThousandth(Written):
    def finished(self, dx, dweight, dbias):
        return super().finished(dx, dweight * dx.dtype.type(1.001), dbias)


@HERE.mistake("dx should be None")
class PicturesGetAGradient(Written):
    def finished(self, dx, dweight, dbias):
        return cropped(dx, self.pad), {"weight": dweight, "bias": dbias}


@HERE.mistake("dy was written into")
class DyInPlace(Written):
    def for_bias(self, dy):
        dy[0] += dy[1:].sum(axis=0)
        return dy[0].sum(axis=(0, 1))


@HERE.mistake("float32 became float64")
class Float64Creep(Written):
    def for_bias(self, dy):
        return np.zeros(self.filters) + super().for_bias(dy)


@HERE.mistake("only the first image")
class FirstImageOnly(Written):
    def for_weight(self, seen, dy):
        return super().for_weight(seen[:1], dy[:1])


@HERE.mistake("reshaping mixed up your dweight")
class DweightReshapedWrongly(Conv2D):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        matrix = grads["weight"].reshape(-1, self.filters).T
        return dx, {**grads, "weight": matrix.reshape(grads["weight"].shape)}


@HERE.mistake("gradient of the bias is forgotten")
class MissingKey(Written):
    def finished(self, dx, dweight, dbias):
        dx, grads = super().finished(dx, dweight, dbias)
        return dx, {"weight": grads["weight"]}


@HERE.mistake("only filter 0 counts")
class FirstFilterOnly(Written):
    def for_window(self, dy, weight):
        return super().for_window(dy[:, :1], weight[..., :1])


@HERE.mistake("belongs in the cache")
class RemembersX(Written):
    def forward(self, x, rng=None):
        y, self.x = super().forward(x)
        return y, None

    def backward(self, dy, cache):
        return super().backward(dy, self.x)


@HERE.mistake(None)
class StrideOneOnly(Written):
    """Right for stride 1: a correlation of dy, whatever the stride."""

    def place(self, i, j):
        return super().place(i, j) if self.stride == 1 else super().place(j % (i + 1), i % (j + 1))
