"""The exercise on max pooling."""

import numpy as np

from minialexnet.exercise import probe
from minialexnet.exercise.base import Exercise
from minialexnet.exercise.source import Source
from minialexnet.exercise.tasks import pooling
from minialexnet.layers import MaxPool


def naive(layer, x, rng=None):
    """Window by window, the largest number of each channel."""
    y = np.zeros(pooling.output(layer, x.shape))
    for (i, j), rows, columns in pooling.covered(layer, x.shape):
        window = x[:, rows, columns]
        for n in range(len(x)):
            for c in range(x.shape[3]):
                y[n, i, j, c] = max(window[n, :, :, c].ravel())
    return y


def cases(rng):
    """Distinct numbers, only negative ones, and a few whole numbers with many ties."""
    found = pooling.cases(rng, "MaxPool", lambda shape: rng.standard_normal(shape))
    negative = found[2]
    found[2] = probe.Case(negative.make, -abs(negative.x) - 1, negative.about + ", all negative")
    ties = rng.integers(3, size=(2, 6, 7, 2)).astype(np.float64)
    about = "MaxPool(3, stride=2) on whole numbers with ties"
    return [*found, probe.Case(lambda kind: kind(3, stride=2), ties, about)]


def _all_of_them(window):
    return 1.0 * (window == window.max(axis=(1, 2), keepdims=True))


def _chosen(which):
    def share(window):
        n, _, _, channels = window.shape
        flat = window.reshape(n, -1, channels)
        out = np.zeros_like(flat)
        place = which(flat)
        np.put_along_axis(out, place[:, None], 1.0, axis=1)
        return out.reshape(window.shape)

    return share


_last = _chosen(lambda flat: flat.shape[1] - 1 - flat[:, ::-1].argmax(axis=1))
_down_first = _chosen(lambda flat: flat.argmax(axis=1))


def slips(array, layer, x, dy, seed):
    if array == "y":
        for other, mistake in pooling.variants(layer):
            yield (lambda other=other: other.forward(x)[0]), mistake
        yield (
            lambda: pooling.first_windows(layer, x, dy),
            ("the stride is forgotten: window i begins at i * stride"),
        )
        yield lambda: -layer.forward(-x)[0], "the smallest of the window: it should be the largest"
        right = layer.forward(x)[0]
        yield (
            np.maximum(right, 0),
            ("0 is among those compared: of negative numbers the largest is negative too"),
        )
        yield lambda: layer.forward(abs(x))[0], "the largest magnitude instead of the largest"
        yield (
            lambda: np.broadcast_to(right.max(axis=3, keepdims=True), right.shape),
            ("the largest of all channels: each channel for itself"),
        )
        yield lambda: _averaged(layer, x), "this is the mean of the window: the largest is asked"
        yield lambda: np.roll(right, 1, 1), "off by one window"
        return
    back = pooling.sent_back
    yield (
        lambda: back(layer, x, dy, _all_of_them),
        ("ties: dy goes to every one of the largest, but only the first in reading order gets it"),
    )
    yield (
        lambda: back(layer, x, dy, _shared),
        ("ties: dy is shared among the largest, but the first in reading order gets it all"),
    )
    yield (
        lambda: back(layer, x, dy, _last),
        ("ties: the last of the largest gets dy, it should be the first in reading order"),
    )
    yield (
        lambda: back(layer, x, dy, _columns_first),
        ("ties: you look down the columns first; reading order goes along the rows"),
    )
    yield (
        lambda: back(layer, x, dy, _all_of_them, add=False),
        ("windows overlap: where one pixel wins twice its gradients must be added (+=)"),
    )
    yield (
        lambda: back(layer, x, dy, _down_first, add=False),
        ("windows overlap: where one pixel wins twice its gradients must be added (+=)"),
    )
    yield (
        lambda: back(layer, x, dy, lambda w: np.full(w.shape, 1 / (w.shape[1] * w.shape[2]))),
        ("dy is shared by all of the window: only where the largest stood does it belong"),
    )
    yield (
        lambda: back(layer, x, dy, np.ones_like),
        ("dy goes to all of the window: only where the largest stood does it belong"),
    )
    yield (
        lambda: back(layer, x, dy, lambda w: w * _down_first(w)),
        ("dy is multiplied by x: at the largest dx is dy"),
    )
    yield lambda: back(layer, x, np.ones_like(dy), _down_first), "dy is forgotten"
    yield lambda: back(layer, -x, dy, _down_first), "dy goes to the smallest, not to the largest"


def _columns_first(window):
    turned = window.swapaxes(1, 2)
    return _down_first(turned).swapaxes(1, 2)


def _shared(window):
    largest = _all_of_them(window)
    return largest / largest.sum(axis=(1, 2), keepdims=True)


def _averaged(layer, x):
    y = np.zeros(pooling.output(layer, x.shape))
    for (i, j), rows, columns in pooling.covered(layer, x.shape):
        y[:, i, j] = x[:, rows, columns].mean(axis=(1, 2))
    return y


SUBJECT = probe.Subject(
    kind=MaxPool,
    cases=cases,
    by_hand=(
        probe.ByHand(
            make=lambda kind: kind(2, stride=1),
            x=[[[[1.0], [5.0], [2.0]], [[0.0], [4.0], [5.0]], [[-1.0], [-3.0], [-2.0]]]],
            y=[[[[5.0], [5.0]], [[4.0], [5.0]]]],
            dy=[[[[1.0], [10.0]], [[100.0], [1000.0]]]],
            dx=[[[[0.0], [11.0], [0.0]], [[0.0], [100.0], [1000.0]], [[0.0], [0.0], [0.0]]]],
            about="by hand: x = 1 5 2 / 0 4 5 / -1 -3 -2, MaxPool(2, stride=1); two fives tie",
        ),
    ),
    naive=naive,
    slips=slips,
    axes=pooling.AXES,
)

EXERCISE = Exercise(
    name="maxpool",
    title="Max pooling",
    provides="MaxPool",
    minutes=45,
    task="""
Write `forward` and `backward` of the layer that keeps the largest number of each window, channel
by channel. AlexNet's windows overlap (3 x 3, every 2 pixels; paper, section 3.4), so a pixel may
win in several. Among equals the first in reading order counts: row by row, and from left to right.
`self.kernel`, `self.stride` and `self.ceil` are there; `self._output_shape(x)` gives the shape of
y. With ceil=True the last windows may hang over the edge: they see what there is of the picture.
""",
    source=Source("minialexnet.layers.pool", "MaxPool", ("forward", "backward")),
    definition=naive,
    hints=(
        "What of x changes y if it is moved a little? Only the largest of the window: dy belongs "
        "there, and only there. Backward must know where that was.",
        "Go through the K x K places of a window instead of through the windows: "
        "`taps(x.shape, y.shape, K, S)` of minialexnet.windows pairs the windows with the pixels "
        "they see at a place. Keep the best so far, and the number of the place where it stood; "
        "only a strictly larger number replaces it, so the first of equals stays.",
        "backward: dx = zeros of x's shape and dtype; for each place, dx[pixel] += dy[window] * "
        "(winner[window] == place). The += matters, for windows overlap.",
    ),
    checks=probe.checks(SUBJECT),
)
