"""Layers with one mistake each, all taken from life. `minialexnet.check` must refuse every one.

`complaint` is how the refusal must begin, after the name of the layer: a wrong layer that is
refused for another reason than its mistake proves nothing.
"""

import numpy as np

from minialexnet.layers import (
    AveragePool,
    Conv2D,
    Dropout,
    Flatten,
    Linear,
    LocallyConnected2D,
    LocalResponseNorm,
    MaxPool,
    Network,
    Parallel,
    ReLU,
    ResponseNorm,
    Sigmoid,
    Sliced,
    Tanh,
)
from minialexnet.windows import add_windows, cropped, line_taps, taps, windows


def _linear(side, seed):
    return Linear(side, side, std=0.5, bias=0.1, rng=np.random.default_rng(seed))


# For each kind, how to make one of it and the shape of an x that it accepts. Sides are equal on
# purpose: swapped axes must be found by their values, not by their shapes.
EXAMPLES = {
    Conv2D: (
        lambda kind: kind(2, 3, kernel=3, pad=1, std=0.5, rng=np.random.default_rng(1)),
        (2, 4, 4, 2),
    ),
    LocallyConnected2D: (
        lambda kind: kind(4, 4, 2, 3, kernel=2, std=0.5, rng=np.random.default_rng(1)),
        (2, 4, 4, 2),
    ),
    MaxPool: (lambda kind: kind(3, stride=2), (2, 5, 5, 2)),
    AveragePool: (lambda kind: kind(3, stride=2, ceil=True), (2, 6, 6, 2)),
    LocalResponseNorm: (lambda kind: kind(size=4, alpha=1.5), (2, 2, 2, 5)),
    ResponseNorm: (lambda kind: kind(size=2, alpha=1.5), (2, 4, 4, 2)),
    ReLU: (lambda kind: kind(), (3, 8)),
    Tanh: (lambda kind: kind(), (3, 8)),
    Sigmoid: (lambda kind: kind(), (3, 8)),
    Dropout: (lambda kind: kind(0.5), (3, 8)),
    Linear: (lambda kind: kind(4, 4, std=0.5, rng=np.random.default_rng(1)), (3, 4)),
    Flatten: (lambda kind: kind(), (2, 3, 3, 3)),
    Network: (
        lambda kind: kind({"fc1": _linear(3, 1), "tanh": Tanh(), "fc2": _linear(3, 2)}),
        (4, 3),
    ),
    Parallel: (lambda kind: kind({"a": _linear(2, 1), "b": _linear(2, 2)}), (3, 4)),
    Sliced: (lambda kind: kind(_linear(3, 1), images=2), (5, 3)),
}


def example(kind):
    """(layer, x, seed): one of that kind, right or wrong, ready for check.layer."""
    known = next(base for base in kind.__mro__ if base in EXAMPLES)
    make, shape = EXAMPLES[known]
    seed = 5 if known is Dropout else None
    return make(kind), np.random.default_rng(0).standard_normal(shape), seed


# ---------------------------------------------------------------------------------- convolution


class DoubledGradient(Conv2D):
    """The gradient in x is twice what it should be."""

    complaint = "dx["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return 2 * dx, grads


class OnePerMille(Conv2D):
    """The gradient in the weights is 0.1 % too big."""

    complaint = "dweight["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "weight": grads["weight"] * 1.001}


class ForgottenBias(Conv2D):
    """The gradient in the bias was left at zero."""

    complaint = "dbias["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "bias": np.zeros_like(grads["bias"])}


class SwappedKernelSides(Conv2D):
    """Rows and columns of the kernel are swapped in the gradient."""

    complaint = "dweight["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "weight": grads["weight"].swapaxes(0, 1)}


class SwappedPictureSides(Conv2D):
    """H and W are swapped in the gradient."""

    complaint = "dx["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx.swapaxes(1, 2), grads


class WindowOffByOne(Conv2D):
    """Backward puts the windows back one row too low."""

    complaint = "dx["

    def backward(self, dy, cache):
        grads = super().backward(dy, cache)[1]
        view = windows(cache, self.kernel, self.stride)
        weight = self.params["weight"].reshape(-1, self.filters)
        dwindows = (dy.reshape(-1, self.filters) @ weight.T).reshape(view.shape)
        dx = np.roll(add_windows(dwindows, cache.shape, self.stride), 1, axis=1)
        return cropped(dx, self.pad), grads


class PermutedFilters(Conv2D):
    """The gradients stand at the wrong filters; a cotangent of ones would not notice."""

    complaint = "dweight["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "weight": grads["weight"][..., ::-1].copy()}


class DecaysByItself(Conv2D):
    """Forward shrinks the weights in place."""

    complaint = "weight["

    def forward(self, x, rng=None):
        self.params["weight"] *= 0.999
        return super().forward(x, rng)


class ForwardNeedsFloat64(Conv2D):
    """float32 goes in and float64 comes out."""

    complaint = "y should be float32 as x is, got float64"

    def forward(self, x, rng=None):
        y, cache = super().forward(x, rng)
        return y + np.zeros(1), cache


class UncroppedGradient(Conv2D):
    """The gradient still has the frame of zeros."""

    complaint = "dx should have the shape (2, 4, 4, 2), got (2, 6, 6, 2)"

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return np.pad(dx, ((0, 0), (1, 1), (1, 1), (0, 0))), grads


# ---------------------------------------------------------------------------- locally connected


class SharedAfterAll(LocallyConnected2D):
    """Every place is given the mean of the gradients of all places."""

    complaint = "dweight["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        mean = grads["weight"].mean(axis=(0, 1), keepdims=True)
        return dx, {**grads, "weight": np.broadcast_to(mean, grads["weight"].shape).copy()}


class OneBiasForAll(LocallyConnected2D):
    """The bias gradient has the shape that it has in a convolution."""

    complaint = "dbias should have the shape (3, 3, 3), got (3,)"

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "bias": dy.sum(axis=(0, 1, 2))}


class PlacesByColumns(LocallyConnected2D):
    """The gradient counts the places column by column, the weights row by row."""

    complaint = "dweight["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "weight": grads["weight"].swapaxes(0, 1)}


# -------------------------------------------------------------------------------------- pooling


class OverlapsOverwrite(MaxPool):
    """A pixel that wins in two windows keeps the gradient of one."""

    complaint = "dx["

    def _sent_back(self, dy, winner, axis, x_shape):
        dx = np.zeros(x_shape, dy.dtype)
        places = line_taps(x_shape, dy.shape, axis, self.kernel, self.stride)
        for place, (window, pixel) in enumerate(places):
            dx[pixel] = np.where(winner[window] == place, dy[window], dx[pixel])
        return dx


class SharesAlike(MaxPool):
    """Backward of an average."""

    complaint = "dx["

    def backward(self, dy, cache):
        dx = np.zeros(cache[0], dy.dtype)
        for window, pixel in taps(dx.shape, dy.shape, self.kernel, self.stride):
            dx[pixel] += dy[window] / self.kernel**2
        return dx, {}


class OneColumnAside(MaxPool):
    """The gradient arrives one column to the right."""

    complaint = "dx["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return np.roll(dx, 1, axis=2), grads


class RemembersItsWinners(MaxPool):
    """Backward undoes the last forward, whichever cache it is given."""

    complaint = "dx["

    def forward(self, x, rng=None):
        y, self.last = super().forward(x, rng)
        return y, self.last

    def backward(self, dy, cache):
        return super().backward(dy, self.last)


class FullWindowsOnly(AveragePool):
    """Backward divides by K² also where a window hangs over the edge."""

    complaint = "dx["

    def backward(self, dy, cache):
        x_shape, area = cache
        return super().backward(dy, (x_shape, np.full_like(area, self.kernel**2)))


class SumInsteadOfMean(AveragePool):
    """Backward of a sum."""

    complaint = "dx["

    def backward(self, dy, cache):
        x_shape, area = cache
        return super().backward(dy, (x_shape, np.ones_like(area)))


class NoCache(AveragePool):
    """Forward returns y alone."""

    complaint = "forward must return (y, cache), got ndarray"

    def forward(self, x, rng=None):
        return super().forward(x, rng)[0]


# -------------------------------------------------------------------------------- normalisation


class NeighboursForgotten(LocalResponseNorm):
    """The derivative of x s^-beta as if s did not depend on x."""

    complaint = "dx["

    def backward(self, dy, cache):
        scale = cache[1][..., : dy.shape[-1]]
        return dy * scale**-self.beta, {}


class WindowNotMirrored(LocalResponseNorm):
    """Backward sums over the window of forward, which for an even size is not symmetric."""

    complaint = "dx["

    def backward(self, dy, cache):
        mirrored = tuple(array[..., ::-1] for array in cache)
        return super().backward(dy[..., ::-1], mirrored)[0][..., ::-1], {}


class AlphaOverN(LocalResponseNorm):
    """Forward has alpha, backward alpha / n: two conventions in one layer."""

    complaint = "dx["

    def backward(self, dy, cache):
        other = LocalResponseNorm(self.size, self.k, self.alpha / self.size, self.beta)
        return other.backward(dy, cache)


class NormalisesTheBatch(LocalResponseNorm):
    """Each image is seen relative to the mean of the batch."""

    complaint = "y["

    def forward(self, x, rng=None):
        return super().forward(x - x.mean(axis=0), rng)

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx - dx.mean(axis=0), grads


class SingleAtHeart(ResponseNorm):
    """The result is float32, whatever comes in."""

    complaint = "y should be float64 as x is, got float32"

    def forward(self, x, rng=None):
        y, cache = super().forward(x, rng)
        return y.astype(np.float32), cache


class SquaresInPlace(ResponseNorm):
    """Forward squares x where it stands."""

    complaint = "x["

    def forward(self, x, rng=None):
        copied = x.copy()
        x *= x
        return super().forward(copied, rng)


class CrossTermSign(ResponseNorm):
    """The neighbours' part is added, not taken away."""

    complaint = "dx["

    def backward(self, dy, cache):
        _, scale = cache
        own = dy * scale**-self.beta
        return 2 * own - super().backward(dy, cache)[0], {}


# ---------------------------------------------------------------------------------- activations


class ClearsDy(ReLU):
    """Backward sets entries of its argument to zero and returns it."""

    complaint = "dy["

    def backward(self, dy, cache):
        dy[~cache] = 0
        return dy, {}


class ClearsX(ReLU):
    """Forward works in place."""

    complaint = "x["

    def forward(self, x, rng=None):
        positive = x > 0
        return np.maximum(x, 0, out=x), positive


class RemembersItsMask(ReLU):
    """Backward uses the mask of the last forward."""

    complaint = "dx["

    def forward(self, x, rng=None):
        y, self.mask = super().forward(x, rng)
        return y, None

    def backward(self, dy, cache):
        return dy * self.mask, {}


class OneBuffer(ReLU):
    """Every backward writes into the same array, also over a gradient returned before."""

    complaint = "dx["

    def backward(self, dy, cache):
        self.buffer = getattr(self, "buffer", np.empty_like(dy))
        return np.multiply(dy, cache, out=self.buffer), {}


class LetsEverythingThrough(ReLU):
    """Backward of the identity."""

    complaint = "dx["

    def backward(self, dy, cache):
        return dy.copy(), {}


class NotSquared(Tanh):
    """dx = dy (1 - y)."""

    complaint = "dx["

    def backward(self, dy, cache):
        return dy * (1 - cache), {}


class SlopeAtX(Tanh):
    """dx = dy (1 - x²): the cache holds what went in, the formula wants what came out."""

    complaint = "dx["

    def forward(self, x, rng=None):
        return np.tanh(x), x


class NoGradsAtAll(Tanh):
    """Backward returns dx alone."""

    complaint = "backward must return (dx, grads), grads a dict"

    def backward(self, dy, cache):
        return super().backward(dy, cache)[0]


class BlindToDy(Sigmoid):
    """Backward is right for a dy of ones only."""

    complaint = "dx["

    def backward(self, dy, cache):
        return cache * (1 - cache), {}


class NotANumber(Sigmoid):
    """The gradient is NaN where x is negative."""

    complaint = "dx["

    def backward(self, dy, cache):
        dx = super().backward(dy, cache)[0]
        return np.where(cache < 0.5, np.nan, dx).astype(dy.dtype), {}


class BackwardNeedsFloat64(Sigmoid):
    """float32 goes in and the gradient is float64."""

    complaint = "dx should be float32 as x is, got float64"

    def backward(self, dy, cache):
        return super().backward(dy.astype(np.float64), cache)


# -------------------------------------------------------------------------------------- dropout


class DrawsAgain(Dropout):
    """Backward draws a mask of its own."""

    complaint = "dx["

    def backward(self, dy, cache):
        return dy * (np.random.default_rng(6).random(dy.shape) >= self.rate), {}


class DrawsForItself(Dropout):
    """The mask comes from a generator of its own, which moves on from call to call."""

    complaint = "y["

    def __init__(self, rate):
        super().__init__(rate)
        self.rng = np.random.default_rng(6)

    def forward(self, x, rng=None):
        return super().forward(x, self.rng)


class ScalesOnTheWayBack(Dropout):
    """Forward is the paper's dropout, backward that of inverted dropout."""

    complaint = "dx["

    def backward(self, dy, cache):
        return super().backward(dy, cache)[0] / (1 - self.rate), {}


# ------------------------------------------------------------------------------ fully connected


class TransposedWeightGradient(Linear):
    """dweight = dyᵀ x, which has the same shape where D = O."""

    complaint = "dweight["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "weight": grads["weight"].T}


class UntransposedWeight(Linear):
    """dx = dy weight."""

    complaint = "dx["

    def backward(self, dy, cache):
        return dy @ self.params["weight"], super().backward(dy, cache)[1]


class MissingKey(Linear):
    """No gradient for the bias."""

    complaint = "expected gradients for ['bias', 'weight'], got ['weight']"

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {"weight": grads["weight"]}


class ExtraKey(Linear):
    """The gradient in x is among those of the parameters."""

    complaint = "expected gradients for ['bias', 'weight'], got ['bias', 'weight', 'x']"

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "x": dx}


class MeanOverTheBatch(Linear):
    """Backward divides by N, which the loss has done already."""

    complaint = "dweight["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {key: grad / len(dy) for key, grad in grads.items()}


class GradientsPileUp(Linear):
    """Gradients are added to those of the call before."""

    complaint = "dweight["
    total = 0

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        self.total = self.total + grads["weight"]
        return dx, {**grads, "weight": self.total.astype(dy.dtype)}


# -------------------------------------------------------------------------------------- flatten


class BackInAnotherOrder(Flatten):
    """Flattened row by row, put back column by column."""

    complaint = "dx["

    def backward(self, dy, cache):
        return dy.reshape(cache).swapaxes(1, 2), {}


class StaysFlat(Flatten):
    """The gradient does not get the shape of x back."""

    complaint = "dx should have the shape (2, 3, 3, 3), got (2, 27)"

    def backward(self, dy, cache):
        return dy, {}


class FlattensTheBatchToo(Flatten):
    """All the images in one row."""

    complaint = "y should have the shape (2, 54), got (1, 54)"

    def forward(self, x, rng=None):
        return x.reshape(1, -1), x.shape


# ----------------------------------------------------------------------------------- composites


class BackwardFromTheFront(Network):
    """Backward goes through the layers in the order of forward."""

    complaint = "dx["

    def backward(self, dy, cache):
        grads = {}
        for (name, layer), undo in zip(self.layers.items(), cache, strict=True):
            dy, grads[name] = layer.backward(dy, undo)
        return dy, self._grads(grads)


class LayerLeftOut(Network):
    """Backward leaves out the layer in the middle."""

    complaint = "dx["

    def backward(self, dy, cache):
        dy, last = self.layers["fc2"].backward(dy, cache[2])
        dy, first = self.layers["fc1"].backward(dy, cache[0])
        return dy, self._grads({"fc1": first, "tanh": {}, "fc2": last})


class NamesLost(Network):
    """The gradients of one layer overwrite those of another of the same name."""

    complaint = "expected gradients for ['fc1.bias', 'fc1.weight', 'fc2.bias', 'fc2.weight'], got"

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {name.partition(".")[2]: grad for name, grad in grads.items()}


class TowersSwapped(Parallel):
    """The gradient in x has the towers the wrong way round."""

    complaint = "dx["

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return np.roll(dx, dx.shape[-1] // 2, axis=-1), grads


class EveryOtherChannel(Parallel):
    """Backward gives each tower every other channel of dy, forward joined them in blocks."""

    complaint = "dx["

    def backward(self, dy, cache):
        return super().backward(np.concatenate([dy[..., ::2], dy[..., 1::2]], axis=-1), cache)


class MeanOfTheSlices(Sliced):
    """The gradients of the slices are averaged."""

    complaint = "dweight["

    def backward(self, dy, cache):
        slices = len(cache)
        dx, grads = super().backward(dy, cache)
        return dx, {name: grad / slices for name, grad in grads.items()}


class LastSliceWins(Sliced):
    """The gradients are those of the last slice."""

    complaint = "dweight["

    def backward(self, dy, cache):
        last = self.layer.backward(self._slices(dy)[-1], cache[-1])[1]
        return super().backward(dy, cache)[0], last


class RestDropped(Sliced):
    """The images left over for a shorter last slice are lost."""

    complaint = "y should have the shape (5, 3), got (4, 3)"

    def _slices(self, x):
        return super()._slices(x[: len(x) // self.images * self.images])


WRONG = [
    kind
    for kind in list(globals().values())
    if isinstance(kind, type) and "complaint" in vars(kind)
]
