"""check.layer refuses what is wrong, for the right reason, and accepts what is merely different."""

import re

import numpy as np
import pytest
from wrong_layers import EXAMPLES, WRONG, example

from minialexnet import check
from minialexnet.layers import (
    AveragePool,
    Conv2D,
    Dropout,
    Flatten,
    Layer,
    Linear,
    LocalResponseNorm,
    MaxPool,
    ReLU,
    Sigmoid,
)

NUMBER = r"(-?\d+(\.\d+)?(e-?\d+)?|nan|inf)"
# The array, the index, and both values.
NUMERIC = re.compile(rf"[\w.]+\(\d+(, \d+)*,?\) .*{NUMBER}.*[ :]{NUMBER}( |$)")


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_right_layers_pass_where_the_wrong_ones_fail(kind):
    check.layer(*example(kind))


def test_there_are_wrong_layers_of_every_kind():
    covered = {base for kind in WRONG for base in kind.__mro__ if base in EXAMPLES}
    assert covered == set(EXAMPLES)
    assert len(WRONG) >= 30


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_layers_are_refused(kind):
    with pytest.raises(AssertionError) as refusal:
        check.layer(*example(kind))
    name, _, complaint = str(refusal.value).partition(": ")
    assert name == kind.__name__
    assert complaint.startswith(kind.complaint)
    if kind.complaint.endswith("("):
        assert NUMERIC.match(complaint), complaint


def test_the_message_in_full():
    class Half(Linear):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return dx / 2, grads

    layer = Half(1, 1, rng=np.random.default_rng(0))
    layer.params = {"weight": np.array([[4.0]]), "bias": np.array([0.0])}
    with pytest.raises(AssertionError) as refusal:
        check.layer(layer, np.array([[1.0], [2.0]]))
    # The direction dy is the same for the same shape: here (-0.961..., -0.721...).
    assert re.fullmatch(
        r"Half: dx\[0, 0\] is -1\.9239\d*, but the slope measured there is -3\.8479\d* "
        r"\(off by 5\.0e-01 of the largest slope\)",
        str(refusal.value),
    )


def test_results_that_are_no_arrays():
    class Listed(ReLU):
        def forward(self, x, rng=None):
            y, cache = super().forward(x, rng)
            return y.tolist(), cache

    with pytest.raises(AssertionError, match="Listed: y should be an array, got list"):
        check.layer(Listed(), np.ones((2, 3)))


def test_dx_may_be_none_only_where_the_layer_says_so():
    class NoInputGradient(ReLU):
        def backward(self, dy, cache):
            return None, {}

    x = np.random.default_rng(0).standard_normal((2, 3))
    with pytest.raises(AssertionError, match=r"dx is None, expected an array like x \(2, 3\)"):
        check.layer(NoInputGradient(), x)
    layer = NoInputGradient()
    layer.input_grad = False
    check.layer(layer, x)


def test_mistakes_in_training_are_found_in_training():
    class DropsAndDoubles(Dropout):
        def backward(self, dy, cache):
            return dy * cache * (1 if isinstance(cache, float) else 2), {}

    x = np.random.default_rng(0).standard_normal((2, 6))
    check.layer(DropsAndDoubles(), x)
    with pytest.raises(AssertionError, match="DropsAndDoubles: dx"):
        check.layer(DropsAndDoubles(), x, seed=1)


def test_the_layer_and_x_are_left_as_they_were():
    layer = Linear(3, 2, rng=np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((2, 3)).astype(np.float32)
    params, before = dict(layer.params), x.copy()
    check.layer(layer, x)
    assert all(layer.params[name] is array for name, array in params.items())
    np.testing.assert_array_equal(x, before)


def test_a_mistake_among_many_entries_is_found():
    """Of big arrays a random choice of entries is measured: enough for a mistake in 1 % of them."""

    class WrongHere(ReLU):
        def backward(self, dy, cache):
            dx = dy * cache
            dx[0, :100] += 1
            return dx, {}

    with pytest.raises(AssertionError, match=r"WrongHere: dx\[0, \d\d?\]"):
        check.layer(WrongHere(), np.random.default_rng(0).standard_normal((2, 5000)))


# --------------------------------------------------------------- right, but written differently


class LoopConvolution(Conv2D):
    """Filter by filter and place by place."""

    def forward(self, x, rng=None):
        weight, bias = self.params["weight"], self.params["bias"]
        frame = ((0, 0), *self.pad, (0, 0))
        x = np.pad(x, frame)
        rows = (x.shape[1] - self.kernel) // self.stride + 1
        columns = (x.shape[2] - self.kernel) // self.stride + 1
        y = np.empty((len(x), rows, columns, self.filters), x.dtype)
        for n, i, j, o in np.ndindex(y.shape):
            y[n, i, j, o] = (self._window(x, n, i, j) * weight[..., o]).sum() + bias[o]
        return y, x

    def backward(self, dy, cache):
        weight = self.params["weight"]
        dx, dweight = np.zeros_like(cache), np.zeros_like(weight)
        for n, i, j, o in np.ndindex(dy.shape):
            dweight[..., o] += dy[n, i, j, o] * self._window(cache, n, i, j)
            window = self._window(dx, n, i, j)
            window += dy[n, i, j, o] * weight[..., o]
        (top, bottom), (left, right) = self.pad
        dx = dx[:, top : dx.shape[1] - bottom, left : dx.shape[2] - right]
        return dx, {"weight": dweight, "bias": dy.sum(axis=(0, 1, 2))}

    def _window(self, x, n, i, j):
        i, j = i * self.stride, j * self.stride
        return x[n, i : i + self.kernel, j : j + self.kernel]


class EinsumLinear(Linear):
    """The sums written out in letters."""

    def forward(self, x, rng=None):
        return np.einsum("nd,do->no", x, self.params["weight"]) + self.params["bias"], x

    def backward(self, dy, cache):
        dx = np.einsum("no,do->nd", dy, self.params["weight"])
        return dx, {
            "weight": np.einsum("nd,no->do", cache, dy),
            "bias": np.einsum("no->o", dy),
        }


class BandLRN(LocalResponseNorm):
    """The sum over the neighbours as a product with a band matrix."""

    def forward(self, x, rng=None):
        band = self._band(x)
        scale = self.k + self.alpha * (x**2 @ band)
        y = x / scale**self.beta
        return y, (x, y, scale, band)

    def backward(self, dy, cache):
        x, y, scale, band = cache
        crossed = (dy * y / scale) @ band.T
        return dy / scale**self.beta - 2 * self.alpha * self.beta * x * crossed, {}

    def _band(self, x):
        channels = np.arange(x.shape[-1])
        offset = channels[:, None] - channels[None, :] + self.size // 2
        return ((offset >= 0) & (offset < self.size)).astype(x.dtype)


class BlockMaxPool(MaxPool):
    """Windows that do not overlap are a reshape, and the winner an argmax."""

    def forward(self, x, rng=None):
        n, height, width, channels = x.shape
        k = self.kernel
        blocks = x.reshape(n, height // k, k, width // k, k, channels).swapaxes(2, 3)
        blocks = blocks.reshape(n, height // k, width // k, k * k, channels)
        winner = blocks.argmax(axis=3)[:, :, :, None]
        return np.take_along_axis(blocks, winner, 3)[:, :, :, 0], (x.shape, blocks.shape, winner)

    def backward(self, dy, cache):
        shape, blocks_shape, winner = cache
        dblocks = np.zeros(blocks_shape, dy.dtype)
        np.put_along_axis(dblocks, winner, dy[:, :, :, None], 3)
        n, rows, columns, _, channels = blocks_shape
        dblocks = dblocks.reshape(n, rows, columns, self.kernel, self.kernel, channels)
        return dblocks.swapaxes(2, 3).reshape(shape), {}


class CumulativeAveragePool(AveragePool):
    """Windows that do not overlap as differences of a running sum."""

    def forward(self, x, rng=None):
        k = self.kernel
        for axis in (1, 2):
            x = np.cumsum(x, axis=axis).take(range(k - 1, x.shape[axis], k), axis)
            x = np.diff(x, axis=axis, prepend=np.zeros_like(x.take([0], axis)))
        return x / k**2, None

    def backward(self, dy, cache):
        return dy.repeat(self.kernel, 1).repeat(self.kernel, 2) / self.kernel**2, {}


class WhereReLU(ReLU):
    """A choice between x and 0; the cache is y."""

    def forward(self, x, rng=None):
        y = np.where(x > 0, x, x.dtype.type(0))
        return y, y

    def backward(self, dy, cache):
        return np.where(cache > 0, dy, dy.dtype.type(0)), {}


class TextbookSigmoid(Sigmoid):
    """As the formula stands, with backward from x."""

    def forward(self, x, rng=None):
        return 1 / (1 + np.exp(-x)), x

    def backward(self, dy, cache):
        return dy * np.exp(-cache) / (1 + np.exp(-cache)) ** 2, {}


class InvertedDropout(Dropout):
    """Scaled in training instead of evaluation: another function, and as good a layer."""

    def forward(self, x, rng=None):
        if rng is None:
            return x, None
        mask = (rng.random(x.shape) >= self.rate) / x.dtype.type(1 - self.rate)
        return x * mask, mask

    def backward(self, dy, cache):
        return (dy if cache is None else dy * cache), {}


class FlattenByRows(Flatten):
    """Image after image, and back."""

    def forward(self, x, rng=None):
        return np.stack([image.ravel() for image in x]), x.shape[1:]

    def backward(self, dy, cache):
        return np.stack([row.reshape(cache) for row in dy]), {}


class Stranger:
    """No relative of Layer, but with everything that a layer has: the softmax."""

    def __init__(self):
        self.params = {}

    def forward(self, x, rng=None):
        y = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
        return y, y

    def backward(self, dy, cache):
        return cache * (dy - (dy * cache).sum(axis=1, keepdims=True)), {}


class Identity(Layer):
    """y is x itself, not a copy."""

    def forward(self, x, rng=None):
        return x, ()

    def backward(self, dy, cache):
        return dy, {}


DIFFERENT = [
    (LoopConvolution(2, 2, 2, stride=2, pad=1, std=1, rng=np.random.default_rng(0)), (2, 3, 4, 2)),
    (EinsumLinear(4, 3, std=1, rng=np.random.default_rng(0)), (2, 4)),
    (BandLRN(4, alpha=2), (2, 2, 2, 5)),
    (BlockMaxPool(2, stride=2), (2, 4, 6, 2)),
    (CumulativeAveragePool(2, stride=2), (2, 4, 6, 2)),
    (WhereReLU(), (2, 7)),
    (TextbookSigmoid(), (2, 7)),
    (InvertedDropout(0.3), (2, 7)),
    (FlattenByRows(), (2, 3, 2, 2)),
    (Stranger(), (2, 4)),
    (Identity(), (2, 4)),
]


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize(("layer", "shape"), DIFFERENT, ids=lambda case: type(case).__name__)
def test_layers_written_differently_pass(layer, shape, seed):
    check.layer(layer, np.random.default_rng(3).standard_normal(shape), seed)


def test_softmax_with_twice_its_gradient_is_refused():
    """Its outputs sum to one, so a dy of ones has the gradient 0, and twice 0 is 0."""

    class TwiceTheGradient(Stranger):
        def backward(self, dy, cache):
            dx, grads = super().backward(dy, cache)
            return 2 * dx, grads

    x = np.random.default_rng(0).standard_normal((2, 4))
    y, cache = TwiceTheGradient().forward(x)
    assert abs(TwiceTheGradient().backward(np.ones_like(y), cache)[0]).max() < 1e-15
    with pytest.raises(AssertionError, match="TwiceTheGradient: dx"):
        check.layer(TwiceTheGradient(), x)
