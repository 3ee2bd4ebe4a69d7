"""What the two exercises on convolution share: cases, a naive definition, and the usual slips."""

import numpy as np

from minialexnet.exercise import probe
from minialexnet.layers.base import sides
from minialexnet.windows import padded


def naive(layer, x, rng=None):
    """The sum in the docstring of Conv2D, number by number; outside the picture is 0."""
    weight, bias = layer.params["weight"], layer.params["bias"]
    n, height, width, channels = x.shape
    kernel, _, _, filters = weight.shape
    (top, bottom), (left, right) = layer.pad
    rows = (height + top + bottom - kernel) // layer.stride + 1
    columns = (width + left + right - kernel) // layer.stride + 1
    y = np.zeros((n, rows, columns, filters))
    for image, i, j, o in np.ndindex(y.shape):
        y[image, i, j, o] = bias[o]
        for k in range(kernel):
            for l in range(kernel):  # noqa: E741
                row, column = i * layer.stride + k - top, j * layer.stride + l - left
                if 0 <= row < height and 0 <= column < width:
                    for c in range(channels):
                        y[image, i, j, o] += x[image, row, column, c] * weight[k, l, c, o]
    return y


def cases(rng):
    """H != W, C != O, a stride that does not divide, and padding that differs from side to side."""
    uneven = tuple(tuple(int(i) for i in rng.permutation([0, 1, 2])[:2]) for _ in "hw")
    found = []
    for (channels, filters, kernel), stride, pad in (
        ((2, 3, 3), 2, 1),
        ((3, 2, 2), 1, uneven),
        ((2, 2, 3), 1, 0),
    ):
        height, width = _uneven_sizes(rng, kernel, stride, pad)
        found.append(_case(rng, (channels, filters, kernel), stride, pad, (2, height, width)))
    return found


def _uneven_sizes(rng, kernel, stride, pad):
    """Sides of a picture, different ones, that the stride does not divide."""
    while True:
        height, width = (int(i) for i in rng.permutation([4, 5, 6, 7])[:2])
        (top, bottom), (left, right) = sides(pad)
        rest = (height + top + bottom - kernel) % stride, (width + left + right - kernel) % stride
        if stride == 1 or any(rest):
            return height, width


def _case(rng, numbers, stride, pad, shape, **settings):
    def make(kind):
        weights = np.random.default_rng(1)
        return kind(*numbers, stride=stride, pad=pad, rng=weights, **settings)

    channels, filters, kernel = numbers
    extra = "".join(f", {key}={value}" for key, value in settings.items())
    return probe.Case(
        make,
        rng.standard_normal((*shape, channels)),
        f"Conv2D({channels}, {filters}, kernel={kernel}, stride={stride}, pad={pad}{extra}), "
        f"x {(*shape, channels)}",
    )


def for_pictures(rng):
    """A case whose input is a picture, in which no gradient is wanted."""
    return _case(rng, (3, 2, 3), 2, 0, (2, 6, 5), input_grad=False)


def slips(array, layer, x, dy, seed):
    weight, bias = layer.params["weight"], layer.params["bias"]
    ((top, bottom), (left, right)), kernel = layer.pad, layer.kernel

    def of(**settings):
        params = {"weight": settings.pop("weight", weight), "bias": settings.pop("bias", bias)}
        other = probe.changed(layer, params=params, **settings)
        if array == "y":
            return other.forward(x)[0]
        return probe.outcome(other, x, dy, seed)[array]

    turned, swapped = weight[::-1, ::-1], weight.swapaxes(0, 1)
    if array == "y":
        zero = np.zeros_like(bias)
        yield lambda: of(bias=zero), "the bias is forgotten"
        yield lambda: of(bias=-bias), "the bias is subtracted: it should be added"
        yield lambda: of(bias=kernel**2 * bias), "the bias is added at each place of the kernel"
        yield (
            lambda: of(bias=kernel**2 * weight.shape[2] * bias),
            "the bias is added for each number of the window: once is enough",
        )
        yield lambda: of(bias=weight.shape[2] * bias), "the bias is added once a channel"
        yield lambda: of(bias=bias[::-1]), "the biases are in the wrong order"
        yield lambda: of(bias=np.full_like(bias, bias[0])), "each filter has a bias of its own"
        yield (
            lambda: of(weight=turned),
            ("the filters are turned round: y[i, j] takes weight[k, l] times x[i + k, j + l]"),
        )
        yield lambda: of(weight=swapped), "the kernel has its rows and columns swapped"
        yield lambda: of(weight=turned.swapaxes(0, 1)), "the filters are turned and swapped"
        yield lambda: of(weight=weight[::-1]), "the filters are upside down"
        yield lambda: of(weight=weight[:, ::-1]), "the filters are mirrored left to right"
        yield (
            lambda: of(weight=weight.swapaxes(2, 3)),
            ("your weight has channels in and filters swapped: it is (K, K, C, O)"),
        )
        yield (
            lambda: of(weight=weight.reshape(weight.shape[3], -1).T.reshape(weight.shape)),
            ("reshaping mixed up the weight: (K, K, C, O) becomes (K K C, O), with O last"),
        )
        yield lambda: of(pad=sides(0)), "the padding is forgotten"
        yield (
            lambda: of(pad=((left, right), (top, bottom))),
            ("rows and columns of the padding are swapped: pad is ((top, bottom), (left, right))"),
        )
        yield (
            lambda: of(pad=((bottom, top), (right, left))),
            ("padding on the wrong sides: pad is ((top, bottom), (left, right))"),
        )
        yield lambda: of(pad=((top, top), (left, left))), "the same padding on all sides"
        yield lambda: of(pad=((top + bottom, 0), (left + right, 0))), "all padding on one side"
        yield lambda: of(pad=((0, top + bottom), (0, left + right))), "all padding on one side"
        yield lambda: of(stride=1), "the stride is ignored"
        yield (
            lambda: of(stride=1)[:, : dy.shape[1], : dy.shape[2]],
            ("the stride is forgotten: window i begins at i * stride"),
        )
        yield (
            lambda: _with_edges(layer, x, "edge"),
            "padded with the pixels at the edge: it should be with zeros",
        )
        yield lambda: _with_edges(layer, x, "reflect"), "padded with a reflection, not with zeros"
        yield lambda: _with_edges(layer, x, "wrap"), "padded from the other side, not with zeros"
        one = np.zeros_like(weight)
        one[:, :, 0] = weight[:, :, 0]
        yield lambda: of(weight=one), "only the first channel counts: sum over all of them"
        every = np.broadcast_to(weight[:, :, :, :1], weight.shape)
        yield lambda: of(weight=every), "only the first filter is used, for all outputs"
        yield (
            lambda: of(weight=weight / weight.shape[2], bias=bias),
            ("the mean over the channels: it should be the sum"),
        )
        yield lambda: of(weight=weight / kernel**2), "the mean over the window: it should be a sum"
        for k in range(kernel):
            less = weight.copy()
            less[k] = 0
            yield (lambda less=less: of(weight=less)), f"row {k} of the kernel is left out"
            less = weight.copy()
            less[:, k] = 0
            yield (lambda less=less: of(weight=less)), f"column {k} of the kernel is left out"
        less = weight.copy()
        less[-1], less[:, -1] = 0, 0
        yield lambda: of(weight=less), "the kernel's last row and column are left out: range(K - 1)"
        yield lambda: of()[:, :-1, :-1], "one window too few down and across: (H - K) // S + 1"
        yield lambda: np.maximum(of(), 0), "no ReLU here: that is a layer of its own"
        back = of()
        for name, by in (("below", 1), ("above", -1)):
            moved = np.roll(padded(x, layer.pad), -by, axis=1)
            yield (
                lambda moved=moved: probe.changed(layer, pad=sides(0)).forward(moved)[0],
                f"the windows are one row too far {name}",
            )
        yield back * 1.001, "0.1 % too large"
        return
    framed = padded(x, layer.pad)
    if array == "dx":
        yield lambda: of(weight=turned), "the filters are turned round once too often (or seldom)"
        yield lambda: of(weight=swapped), "the kernel has its rows and columns swapped"
        yield lambda: of(weight=weight.swapaxes(2, 3)), "channels in and filters are swapped"
        yield (
            lambda: _whole_dx(layer, x, dy),
            ("the gradient of the padded picture: the padding must be cut off again"),
        )
        yield (
            lambda: _whole_dx(layer, x, dy)[:, : x.shape[1], : x.shape[2]],
            ("the padding was cut off at the wrong side: begin at top and left"),
        )
        yield (
            lambda: _overwritten(layer, x, dy),
            ("windows overlap: what each sends back must be added (+=), not written over"),
        )
        yield lambda: _one_window(layer, x, dy), "the stride is forgotten in where windows begin"
        yield lambda: of() / len(x), "divided by N: the loss has done so already"
        for o in range(weight.shape[3]):
            less = np.zeros_like(weight)
            less[..., o] = weight[..., o]
            yield (lambda less=less: of(weight=less)), f"only filter {o} counts: sum over all"
        return
    if array == "dweight":
        right = of()
        yield right / len(x), "divided by N: the loss has done so already"
        yield right[::-1, ::-1], "your dweight is turned round: no flipping is needed"
        yield right.swapaxes(0, 1), "your dweight has H and W swapped"
        yield lambda: right.swapaxes(2, 3), "your dweight has channels and filters swapped"
        yield right / (dy.shape[1] * dy.shape[2]), "a mean over the places: it should be a sum"
        yield right / dy[..., 0].size, "a mean over images and places: it should be a sum"
        yield right + weight, "weight decay is the optimiser's business, not the layer's"
        yield lambda: probe.outcome(layer, x[:1], dy[:1])[array], "only the first image counts"
        yield lambda: probe.outcome(layer, x[-1:], dy[-1:])[array], "only the last image counts"
        yield lambda: _dweight(np.roll(framed, -1, axis=1), layer, dy), "off by one row"
        yield (
            lambda: _dweight(framed, probe.changed(layer, stride=1), dy),
            ("the stride is forgotten: window i begins at i * stride"),
        )
        yield (
            lambda: _dweight(_padded_at_end(x, layer), layer, dy),
            ("x without its padding was used: the windows lie on the padded picture"),
        )
        yield (
            lambda: right.reshape(-1, right.shape[3]).T.reshape(right.shape),
            ("reshaping mixed up your dweight: (K K C, O) becomes (K, K, C, O)"),
        )
        return
    if array == "dbias":
        yield dy.mean(axis=(0, 1, 2)), "a mean: your dbias should be the sum"
        yield dy.sum(axis=(1, 2)).mean(axis=0), "divided by N: the loss has done so already"
        yield dy.sum(axis=0).mean(axis=(0, 1)), "a mean over the places: it should be the sum"
        yield dy.sum(axis=0), "sum over the places too, not only over the batch"
        yield dy.sum(axis=(1, 2)), "sum over the batch too, not only over the places"
        yield dy[0].sum(axis=(0, 1)), "only the first image counts: sum over the batch"
        yield dy[:, 0, 0].sum(axis=0), "only the first place counts: sum over all"
        yield np.full(bias.shape, dy.sum()), "the sum over everything: each filter has its own"


def _with_edges(layer, x, mode):
    framed = np.pad(x, ((0, 0), *layer.pad, (0, 0)), mode=mode)
    return probe.changed(layer, pad=sides(0)).forward(framed)[0]


def _padded_at_end(x, layer):
    (top, bottom), (left, right) = layer.pad
    return padded(x, ((0, top + bottom), (0, left + right)))


def _whole_dx(layer, x, dy):
    bare = probe.changed(layer, pad=sides(0))
    return probe.outcome(bare, padded(x, layer.pad), dy)["dx"]


def _each_window(layer, dy, stride):
    """Where each window begins, and what it sends back, (N, K, K, C)."""
    weight = layer.params["weight"]
    for i, j in np.ndindex(dy.shape[1:3]):
        yield i * stride, j * stride, np.einsum("no,klco->nklc", dy[:, i, j], weight)


def _overwritten(layer, x, dy):
    dx, kernel = np.zeros_like(padded(x, layer.pad)), layer.kernel
    for i, j, back in _each_window(layer, dy, layer.stride):
        dx[:, i : i + kernel, j : j + kernel] = back
    (top, _), (left, _) = layer.pad
    return dx[:, top : top + x.shape[1], left : left + x.shape[2]]


def _one_window(layer, x, dy):
    dx, kernel = np.zeros_like(padded(x, layer.pad)), layer.kernel
    for i, j, back in _each_window(layer, dy, 1):
        dx[:, i : i + kernel, j : j + kernel] += back
    (top, _), (left, _) = layer.pad
    return dx[:, top : top + x.shape[1], left : left + x.shape[2]]


def _dweight(framed, layer, dy):
    kernel, total = layer.kernel, np.zeros_like(layer.params["weight"])
    for i, j in np.ndindex(dy.shape[1:3]):
        row, column = i * layer.stride, j * layer.stride
        seen = framed[:, row : row + kernel, column : column + kernel]
        total += np.einsum("nklc,no->klco", seen, dy[:, i, j])
    return total


AXES = {
    "y": ("N", "H", "W", "O"),
    "dx": probe.PICTURES,
    "dweight": probe.KERNEL,
    "dbias": ("O",),
}

BY_HAND = (
    probe.ByHand(
        make=lambda kind: kind(1, 1, 2, rng=np.random.default_rng(1)),
        params={"weight": [[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]], "bias": [0.5]},
        x=[[[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]], [[7.0], [8.0], [9.0]]]],
        y=[[[[37.5], [47.5]], [[67.5], [77.5]]]],
        dy=[[[[1.0], [0.0]], [[0.0], [2.0]]]],
        dx=[[[[1.0], [2.0], [0.0]], [[3.0], [6.0], [4.0]], [[0.0], [6.0], [8.0]]]],
        about="by hand: x = 1 ... 9, weight = 1 2 / 3 4, bias = 0.5",
    ),
)
