"""The exercise on average pooling."""

import numpy as np

from minialexnet.exercise import probe
from minialexnet.exercise.base import Exercise
from minialexnet.exercise.source import Source
from minialexnet.exercise.tasks import pooling
from minialexnet.layers import AveragePool, MaxPool


def naive(layer, x, rng=None):
    """Window by window: the sum of the pixels that it covers, over their number."""
    y = np.zeros(pooling.output(layer, x.shape))
    for (i, j), rows, columns in pooling.covered(layer, x.shape):
        window = x[:, rows, columns]
        for n in range(len(x)):
            for c in range(x.shape[3]):
                numbers = window[n, :, :, c].ravel()
                y[n, i, j, c] = sum(numbers) / len(numbers)
    return y


def cases(rng):
    return pooling.cases(rng, "AveragePool", lambda shape: rng.standard_normal(shape))


def slips(array, layer, x, dy, seed):
    area = layer.forward(x)[1][1]
    whole = layer.kernel**2
    if array == "y":
        right = layer.forward(x)[0]
        yield right * area, "the sum of the window: it was not divided by the number of pixels"
        yield (
            right * area / whole,
            "divided by K² where a window hangs over the edge too: divide by what it covers",
        )
        yield right * area / layer.kernel, "divided by K: a window has K² pixels"
        yield right * area / (whole - 1), "divided by K² - 1: a window has K² pixels"
        yield right * area / layer.stride**2, "divided by S²: a window has K² pixels"
        for other, mistake in pooling.variants(layer):
            yield (lambda other=other: other.forward(x)[0]), mistake
            yield (lambda other=other: other.forward(x)[0] * other.kernel**2 / whole), mistake
        yield (
            lambda: pooling.first_windows(layer, x, dy),
            ("the stride is forgotten: window i begins at i * stride"),
        )
        pool = MaxPool(layer.kernel, layer.stride, layer.ceil)
        yield lambda: pool.forward(x)[0], "this is the largest of the window: the mean is asked"
        yield (
            lambda: np.broadcast_to(right.mean(axis=3, keepdims=True), right.shape),
            ("the mean over all channels: each channel for itself"),
        )
        return

    def back(share, add=True):
        return pooling.sent_back(layer, x, dy, share, add)

    yield lambda: back(np.ones_like), "dy was not divided by the number of pixels"
    yield (
        lambda: back(lambda w: np.full(w.shape, 1 / whole)),
        ("divided by K² where a window hangs over the edge too: divide by what it covers"),
    )
    yield lambda: back(lambda w: np.full(w.shape, 1 / layer.kernel)), "a window has K² pixels"
    yield (
        lambda: back(lambda w: np.full(w.shape, 1 / (w.shape[1] * w.shape[2])), add=False),
        ("windows overlap: what each sends back must be added (+=), not written over"),
    )
    yield (
        lambda: back(lambda w: np.full(w.shape, 1 / (w.shape[1] * w.shape[2]))) / len(x),
        ("divided by N: the loss has done so already"),
    )
    yield lambda: back(lambda w: w / (w.shape[1] * w.shape[2])), "dy is multiplied by x"
    yield (
        lambda: pooling.sent_back(
            layer, x, np.ones_like(dy), lambda w: np.full(w.shape, 1 / (w.shape[1] * w.shape[2]))
        ),
        "dy is forgotten",
    )
    pool = MaxPool(layer.kernel, layer.stride, layer.ceil)
    yield lambda: probe.outcome(pool, x, dy)["dx"], "this is max pooling's: all share dy equally"
    yield lambda: back(_corner), "only the first pixel of each window gets dy: all share it"


def _corner(window):
    share = np.zeros_like(window)
    share[:, 0, 0] = 1
    return share


SUBJECT = probe.Subject(
    kind=AveragePool,
    cases=cases,
    by_hand=(
        probe.ByHand(
            make=lambda kind: kind(2, stride=2, ceil=True),
            x=[[[[1.0], [3.0], [10.0]], [[5.0], [7.0], [20.0]], [[8.0], [2.0], [-6.0]]]],
            y=[[[[4.0], [15.0]], [[5.0], [-6.0]]]],
            dy=[[[[4.0], [6.0]], [[2.0], [3.0]]]],
            dx=[[[[1.0], [1.0], [3.0]], [[1.0], [1.0], [3.0]], [[1.0], [1.0], [3.0]]]],
            about="by hand: x = 1 3 10 / 5 7 20 / 8 2 -6, AveragePool(2, stride=2, ceil=True)",
        ),
    ),
    naive=naive,
    slips=slips,
    axes=pooling.AXES,
)

EXERCISE = Exercise(
    name="avgpool",
    title="Average pooling",
    provides="AveragePool",
    minutes=30,
    task="""
Write `forward` and `backward` of the layer that takes the mean of each window, channel by channel.
`self.kernel`, `self.stride` and `self.ceil` are there; `self._output_shape(x)` gives the shape of
y. With ceil=True the last windows may hang over the edge: then the mean is over the pixels that
the window covers, not over K².
""",
    source=Source("minialexnet.layers.pool", "AveragePool", ("forward", "backward")),
    definition=naive,
    hints=(
        "A mean is a sum over a number. How does y move with each pixel of the window? By the same "
        "share for all of them.",
        "`taps(x.shape, y.shape, K, S)` of minialexnet.windows pairs the windows with the pixels "
        "that they see at each of the K x K places: y[window] += x[pixel] adds up. Count the "
        "pixels in the same way: area[window] += 1.",
        "forward: y / area, with (x.shape, area) as the cache. backward: share = dy / area, and "
        "dx[pixel] += share[window] for each place, on zeros of x's shape and dtype.",
    ),
    checks=probe.checks(SUBJECT),
)
