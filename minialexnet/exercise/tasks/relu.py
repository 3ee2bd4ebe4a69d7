"""The exercise on the rectified linear unit."""

import numpy as np

from minialexnet.exercise import probe
from minialexnet.exercise.base import Exercise
from minialexnet.exercise.source import Source
from minialexnet.layers import ReLU


def naive(layer, x, rng=None):
    """Number by number: x where it is above 0, else 0."""
    y = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        if x[index] > 0:
            y[index] = x[index]
    return y


def cases(rng):
    n, h, w, c = rng.permutation([2, 3, 4, 5])
    pictures = _off_the_kink(rng.standard_normal((n, h, w, c)))
    rows = _off_the_kink(rng.standard_normal((3, int(rng.integers(4, 8)))))
    return [
        probe.Case(lambda kind: kind(), pictures, f"x of the shape {pictures.shape}"),
        probe.Case(lambda kind: kind(), rows, f"x of the shape {rows.shape}"),
    ]


def _off_the_kink(x):
    return x + 0.1 * np.sign(x)


def slips(array, layer, x, dy, seed):
    if array == "y":
        yield x, "your y is x: negative numbers should become 0"
        yield abs(x), "negative numbers should become 0, not positive"
        yield np.minimum(x, 0), "the wrong half is kept: 0 should stand where x is negative"
        yield np.where(x > 0, x, 0.01 * x), "this is the leaky ReLU: 0 should stand where x <= 0"
        yield (x > 0) * 1.0, "your y is the mask: where x > 0 it should be x itself"
        yield np.clip(x, 0, 1), "y is cut off at 1 too: only below 0 should it be"
        yield np.log1p(np.exp(x)), "this is softplus, a smooth relative"
        yield np.maximum(x, x.min()), "compare with 0, not with the smallest x"
        yield np.maximum(x - x.mean(), 0), "compare with 0, not with the mean"
        return
    yield dy, "dy comes back unchanged: where x <= 0 dx should be 0"
    yield dy * (dy > 0), "the mask should come from x, not from dy"
    yield dy * (x < 0), "the mask is the wrong way round: dx is dy where x > 0"
    yield dy * np.maximum(x, 0), "dy should be multiplied by 1 where x > 0, not by x"
    yield (x > 0) * 1.0, "dy is forgotten: dx is dy times the mask"
    yield dy * (x >= 0), "at x = 0 dx should be 0: dx is dy where x > 0, not where x >= 0"
    yield np.where(x > 0, dy, 0.01 * dy), "this is the leaky ReLU's: 0 where x <= 0"
    yield dy * x, "dy should be multiplied by 1 where x > 0, not by x"
    yield dy * np.sign(x), "where x is negative dx should be 0, not -dy"


SUBJECT = probe.Subject(
    kind=ReLU,
    cases=cases,
    by_hand=(
        probe.ByHand(
            make=lambda kind: kind(),
            x=[[-2.0, 0.0, 3.0], [0.5, -0.25, 1.5]],
            y=[[0.0, 0.0, 3.0], [0.5, 0.0, 1.5]],
            dy=[[5.0, 7.0, -1.0], [-2.0, 4.0, 6.0]],
            dx=[[0.0, 0.0, -1.0], [-2.0, 0.0, 6.0]],
        ),
    ),
    naive=naive,
    slips=slips,
    axes={"y": probe.PICTURES, "dx": probe.PICTURES},
)

EXERCISE = Exercise(
    name="relu",
    title="The rectified linear unit",
    provides="ReLU",
    minutes=15,
    task="""
Write `forward` and `backward` of the layer that made deep networks quick to train (paper,
section 3.1). `forward` returns y and whatever `backward` will need of x (the cache); `backward`
gets dy, the gradient of the loss in y, and that cache, and returns dx and the gradients of the
parameters: {}, for a ReLU has none.
""",
    source=Source("minialexnet.layers.relu", "ReLU", ("forward", "backward")),
    definition=naive,
    hints=(
        "For each number by itself: what is y, and how fast does y change when x does?",
        "y = max(x, 0), with xp.maximum. Its slope is 1 where x > 0 and 0 elsewhere: keep the "
        "mask x > 0 as the cache.",
        "forward: return namespace(x).maximum(x, 0), x > 0. backward: dy times the mask (the "
        "product is a new array, so dy stays as it is), and {}.",
    ),
    checks=probe.checks(SUBJECT),
)
