"""The exercise on the fully connected layer."""

import numpy as np

from minialexnet.exercise import probe
from minialexnet.exercise.base import Exercise
from minialexnet.exercise.source import Source
from minialexnet.layers import Linear


def naive(layer, x, rng=None):
    """y[n, o] = bias[o] + sum over d of x[n, d] weight[d, o]."""
    weight, bias = layer.params["weight"], layer.params["bias"]
    y = np.zeros((len(x), weight.shape[1]))
    for n, o in np.ndindex(y.shape):
        y[n, o] = bias[o]
        for d in range(x.shape[1]):
            y[n, o] += x[n, d] * weight[d, o]
    return y


def cases(rng):
    sizes = [tuple(int(i) for i in rng.permutation([2, 3, 4, 5, 6])[:3]), (3, 4, 4)]
    return [_case(rng, *size) for size in sizes]


def _case(rng, n, d, o):
    return probe.Case(
        lambda kind: kind(d, o, rng=np.random.default_rng(1)),
        rng.standard_normal((n, d)),
        f"Linear({d}, {o}) on {n} rows",
    )


def slips(array, layer, x, dy, seed):
    weight, bias = layer.params["weight"], layer.params["bias"]
    square = weight.shape[0] == weight.shape[1]
    if array == "y":
        yield x @ weight, "the bias is forgotten"
        yield x @ weight - bias, "the bias is subtracted: it should be added"
        yield x @ weight + 2 * bias, "the bias is added twice"
        yield x @ weight + bias.sum(), "every output has one bias of its own, not the sum of all"
        yield x @ weight + bias.mean(), "every output has one bias of its own, not the mean"
        yield np.maximum(x @ weight + bias, 0), "no ReLU here: that is a layer of its own"
        if square:
            yield x @ weight.T + bias, "your weight is transposed: x weight, not x weightᵀ"
            yield x @ weight.T, "your weight is transposed, and the bias is forgotten"
        return
    if array == "dx":
        if square:
            yield dy @ weight, "the weight should be transposed: dx = dy weightᵀ"
        yield dy @ weight.T / len(x), "your dx is divided by N: the loss has done so already"
        yield (dy * (x @ weight + bias)) @ weight.T, "y has no place in dx"
    right = x.T @ dy
    if array == "dweight":
        yield dy.T @ x, "your dweight has features in and out swapped: xᵀ dy, not dyᵀ x"
        yield right / len(x), "your dweight is divided by N: the loss has done so already"
        yield right + weight, "weight decay is the optimiser's business, not the layer's"
        yield right - 0.01 * weight, "weight decay is the optimiser's business, not the layer's"
        yield abs(x).T @ dy, "the sign of x is lost"
        yield weight, "your dweight is the weight itself"
        yield np.outer(x[0], dy[0]), "only the first row counts: sum over the batch"
    if array == "dbias":
        yield dy.mean(axis=0), "your dbias is a mean over the batch: it should be the sum"
        yield dy[0], "only the first row of dy counts: sum over the batch"
        yield dy, "dy should be summed over the batch"
        yield dy.sum(axis=0, keepdims=True), "keepdims leaves an axis that the bias has not"
        yield dy.sum(axis=1), "summed over the features: sum over the batch, axis 0"
        yield np.full(dy.shape[1], dy.sum()), "the sum over everything: sum over the batch only"
        yield np.full(dy.shape[1], len(dy)), "dy is forgotten: sum it over the batch"


SUBJECT = probe.Subject(
    kind=Linear,
    cases=cases,
    by_hand=(
        probe.ByHand(
            make=lambda kind: kind(2, 3, rng=np.random.default_rng(1)),
            params={"weight": [[1.0, 2.0, 3.0], [0.0, -1.0, 4.0]], "bias": [10.0, 20.0, 30.0]},
            x=[[1.0, 2.0], [-1.0, 0.5]],
            y=[[11.0, 20.0, 41.0], [9.0, 17.5, 29.0]],
            dy=[[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]],
            dx=[[7.0, 8.0], [-1.0, -5.0]],
        ),
    ),
    naive=naive,
    slips=slips,
    axes={
        "y": ("N", "O"),
        "dx": ("N", "D"),
        "dweight": ("D", "O"),
        "dbias": ("O",),
    },
)

EXERCISE = Exercise(
    name="linear",
    title="The fully connected layer",
    provides="Linear",
    minutes=25,
    task="""
Write `forward` and `backward` of the layer in which every output sees every input. The weights
are there (`self.params["weight"]` and `["bias"]`). `forward` returns y and the cache, `backward`
returns dx and the gradients of the parameters as {"weight": dweight, "bias": dbias}.
""",
    source=Source("minialexnet.layers.linear", "Linear", ("forward", "backward")),
    definition=naive,
    hints=(
        "Write down the shapes: x (N, D), weight (D, O), bias (O,), y (N, O). Which products of "
        "dy with one of them have the shapes that dx and dweight need?",
        "y = x @ weight + bias. Keep x as the cache. dx has the shape of x, so it must be dy times "
        "the weight turned over; dweight (D, O) can only be made of x and dy.",
        "dx = dy @ weight.T, dweight = x.T @ dy, dbias = dy.sum(axis=0): the bias was added to "
        "every row, so all rows pull at it.",
    ),
    checks=probe.checks(SUBJECT),
)
