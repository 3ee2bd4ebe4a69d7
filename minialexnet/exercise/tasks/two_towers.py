"""The exercise on the paper's two towers."""

import numpy as np

from minialexnet.exercise import probe
from minialexnet.exercise.base import Exercise
from minialexnet.exercise.source import Source
from minialexnet.layers import Conv2D, Dropout, Linear, Parallel, ReLU


def naive(layer, x, rng=None):
    """Tower by tower, channel by channel."""
    share = x.shape[-1] // len(layer.layers)
    ys = []
    for number, tower in enumerate(layer.layers.values()):
        mine = np.zeros((*x.shape[:-1], share))
        for c in range(share):
            mine[..., c] = x[..., number * share + c]
        ys.append(tower.forward(mine, rng)[0])
    out = ys[0].shape[-1]
    y = np.zeros((*ys[0].shape[:-1], out * len(ys)))
    for number, mine in enumerate(ys):
        for c in range(out):
            y[..., number * out + c] = mine[..., c]
    return y


def cases(rng):
    """Two towers and three, rows and pictures, and one in training."""
    height, width = (int(i) for i in rng.permutation([4, 5, 6])[:2])
    weights = np.random.default_rng(1)

    def rows(kind):
        return kind({name: Linear(3, 2, rng=weights) for name in "ab"})

    def pictures(kind):
        return kind({name: Conv2D(2, 3, 3, stride=2, pad=1, rng=weights) for name in "abc"})

    def alike(kind):
        return kind({name: Linear(2, 2, rng=weights) for name in "ab"})

    def dropping(kind):
        return kind({"a": Dropout(0.5), "b": Dropout(0.3)})

    def unlike(kind):
        return kind({"a": ReLU(), "b": Linear(2, 2, rng=weights)})

    x = rng.standard_normal((2, height, width, 6))
    return [
        probe.Case(rows, rng.standard_normal((4, 6)), "two Linear(3, 2) on (4, 6)"),
        probe.Case(pictures, x, f"three Conv2D(2, 3, 3, stride=2, pad=1) on {x.shape}"),
        probe.Case(alike, rng.standard_normal((4, 4)), "two Linear(2, 2) on (4, 4)"),
        probe.Case(unlike, rng.standard_normal((3, 4)), "ReLU and Linear(2, 2) on (3, 4)"),
        probe.Case(
            dropping, rng.standard_normal((3, 8)), "two Dropouts in training on (3, 8)", seed=7
        ),
    ]


def _split(layer, x):
    return np.split(x, len(layer.layers), axis=-1)


def _apart(layer, shares, rng):
    return [
        tower.forward(share, rng)[0]
        for tower, share in zip(layer.layers.values(), shares, strict=True)
    ]


def _every_other(layer, x):
    count = len(layer.layers)
    return [x[..., number::count] for number in range(count)]


def _interleaved(shares):
    return np.stack(shares, axis=-1).reshape(*shares[0].shape[:-1], -1)


def slips(array, layer, x, dy, seed):
    towers = list(layer.layers.values())

    def ys(shares, rng="training"):
        return _apart(layer, shares, probe.drawn_from(seed) if rng == "training" else None)

    def join(shares):
        return np.concatenate(shares, axis=-1)

    if array == "y":
        if seed is not None:
            yield (
                lambda: join(ys(_split(layer, x), None)),
                ("rng is not handed on to the towers: they believe it is evaluation"),
            )
            yield (
                lambda: join(
                    [
                        tower.forward(share, probe.drawn_from(seed))[0]
                        for tower, share in zip(towers, _split(layer, x), strict=True)
                    ]
                ),
                "each tower has a generator of its own: hand on the one rng",
            )
        yield lambda: join(ys(_split(layer, x))[::-1]), "the towers' outputs are joined in reverse"
        yield lambda: join(ys(_split(layer, x)[::-1])), "the towers have each other's channels"
        yield (
            lambda: join(ys(_every_other(layer, x))),
            ("each tower gets every other channel: an equal share in one piece is asked for"),
        )
        yield (
            lambda: _interleaved(ys(_split(layer, x))),
            ("the outputs are interleaved: first all channels of a, then all of b"),
        )
        yield (
            lambda: join([towers[0].forward(s)[0] for s in _split(layer, x)]),
            ("the first tower does all the work"),
        )
        yield (
            lambda: join(ys([_split(layer, x)[0]] * len(towers))),
            ("all towers see the first share: each has its own"),
        )
        yield lambda: sum(ys(_split(layer, x))), "the outputs are added: they should be joined"
        yield lambda: sum(ys(_split(layer, x))) / len(towers), "a mean of the outputs: join them"
        yield lambda: ys(_split(layer, x))[0], "only the first tower's output is there"
        for axis in range(x.ndim - 1):
            yield (
                lambda axis=axis: np.concatenate(ys(_split(layer, x)), axis=axis),
                "the outputs are joined along the wrong axis: the channels are the last",
            )
        return
    right = probe.outcome(layer, x, dy, seed)
    if array == "dx":
        shares = np.split(right["dx"], len(towers), axis=-1)
        yield join(shares[::-1]), "the towers' dx are joined in reverse"
        yield _interleaved(shares), "dx is interleaved: first all channels of a, then all of b"
        yield (
            lambda: _back(layer, x, dy, _split(layer, dy)[::-1], seed),
            ("the towers have each other's dy"),
        )
        yield (
            lambda: _back(layer, x, dy, _every_other(layer, dy), seed),
            ("each tower gets every other channel of dy: forward joined them in one piece each"),
        )
        yield (
            lambda: _back(layer, x, dy, [_split(layer, dy)[0]] * len(towers), seed),
            ("all towers get the first share of dy"),
        )
        yield lambda: join([shares[0]] * len(towers)), "dx of the first tower is used for all"
        yield (
            lambda: join([shares[0], *(np.zeros_like(s) for s in shares[1:])]),
            ("only the first tower sends back"),
        )
        yield sum(shares), "the towers' dx are added: they should be joined"
        yield lambda: right["dx"] / len(towers), "a mean over the towers"
        return
    name = array.removeprefix("d")
    tower, _, inner = name.partition(".")
    for other in layer.layers:
        if other != tower and f"d{other}.{inner}" in right:
            yield right[f"d{other}.{inner}"], f"this is the gradient of tower {other}"
    total = [grad for key, grad in right.items() if key.endswith(f".{inner}")]
    yield lambda: sum(total), "the towers' gradients are added: each has weights of its own"
    yield lambda: sum(total) / len(total), "a mean over the towers: each has weights of its own"
    swapped = probe.outcome(layer, x, np.concatenate(_split(layer, dy)[::-1], axis=-1), seed)
    yield swapped[array], "the towers have each other's dy"
    wrong = np.concatenate([_split(layer, dy)[0]] * len(towers), axis=-1)
    yield probe.outcome(layer, x, wrong, seed)[array], "all towers get the first share of dy"
    other = np.concatenate(_every_other(layer, dy), axis=-1)
    yield probe.outcome(layer, x, other, seed)[array], "each tower gets every other channel of dy"


def _back(layer, x, dy, shares, seed):
    return probe.outcome(layer, x, np.concatenate(shares, axis=-1), seed)["dx"]


SUBJECT = probe.Subject(
    kind=Parallel,
    cases=cases,
    by_hand=(
        probe.ByHand(
            make=lambda kind: kind(
                {name: Linear(1, 1, rng=np.random.default_rng(1)) for name in "ab"}
            ),
            params={
                "a.weight": [[2.0]],
                "a.bias": [0.5],
                "b.weight": [[-3.0]],
                "b.bias": [0.0],
            },
            x=[[1.0, 10.0], [2.0, 20.0]],
            y=[[2.5, -30.0], [4.5, -60.0]],
            dy=[[1.0, 1.0], [0.0, 2.0]],
            dx=[[2.0, -3.0], [0.0, -6.0]],
            about="by hand: tower a is 2 x + 0.5, tower b is -3 x",
        ),
    ),
    naive=naive,
    slips=slips,
    axes={"y": probe.PICTURES, "dx": probe.PICTURES},
)

EXERCISE = Exercise(
    name="two_towers",
    title="Two towers",
    provides="Parallel",
    minutes=45,
    task="""
Write `forward` and `backward` of the layer that runs layers side by side, each on an equal share of
the channels (the last axis): tower "a" has the first ones. The paper's network lay on two GPUs, and
its conv2, conv4 and conv5 are such towers. `self.layers` is a dict of the towers by name; their
parameters are there already, under joined names ("a.weight"). `forward` hands rng on to each tower,
in their order, and joins the outputs; the cache holds theirs. `backward` returns dx (None unless
`self.input_grad`) and the gradients under the joined names: `self._grads({"a": grads of a, ...})`
makes them.
""",
    source=Source(
        "minialexnet.layers.composite",
        "Parallel",
        ("forward", "backward"),
        without=("__call__",),
    ),
    definition=naive,
    hints=(
        "Three steps each way: share out, let each tower do its part, join. namespace(x).split and "
        ".concatenate with axis=-1 do the first and the last.",
        "forward: zip(self.layers.values(), shares); every tower returns (y, cache): join the ys, "
        "keep the list of caches. backward shares out dy instead of x.",
        "backward: for (name, layer), share, undo in zip(self.layers.items(), shares of dy, cache):"
        " dx, grads[name] = layer.backward(share, undo). Join the dxs along the last axis and "
        "return them with self._grads(grads).",
    ),
    checks=probe.checks(SUBJECT),
)
