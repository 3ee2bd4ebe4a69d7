"""The exercise on response normalisation."""

import numpy as np

from minialexnet.exercise import probe
from minialexnet.exercise.base import Exercise
from minialexnet.exercise.source import Source
from minialexnet.layers import LocalResponseNorm


def naive(layer, x, rng=None):
    """Number by number, with the sum over the channels around."""
    y = np.zeros(x.shape)
    channels = x.shape[-1]
    for index in np.ndindex(x.shape):
        first = index[-1] - layer.size // 2
        total = 0.0
        for j in range(first, first + layer.size):
            if 0 <= j < channels:
                total += x[(*index[:-1], j)] ** 2
        y[index] = x[index] / (layer.k + layer.alpha * total) ** layer.beta
    return y


def cases(rng):
    """Alpha that matters, an even size, and a window wider than the channels."""
    found = []
    for size, k, beta, channels in ((3, 2.0, 0.75, 6), (4, 1.0, 0.5, 7), (5, 1.5, 0.75, 3)):
        alpha = float(rng.uniform(1, 2))
        shape = (2, *(int(i) for i in rng.permutation([1, 2, 3])[:2]), channels)
        found.append(
            probe.Case(
                lambda kind, s=size, k=k, a=alpha, b=beta: kind(s, k=k, alpha=a, beta=b),
                rng.standard_normal(shape),
                f"LocalResponseNorm({size}, k={k}, alpha={alpha:.4g}, beta={beta}), x {shape}",
            )
        )
    return found


def _sums(x, size, below):
    """The sums over the channels c - below ... c - below + size - 1."""
    total = np.zeros_like(x)
    for c in range(x.shape[-1]):
        total[..., c] = x[..., max(0, c - below) : max(0, c - below + size)].sum(axis=-1)
    return total


def _slips_y(layer, x):
    n, below = layer.size, layer.size // 2
    k, alpha, beta = layer.k, layer.alpha, layer.beta

    def of(total, k=k, alpha=alpha, beta=beta):
        return x / (k + alpha * total) ** beta

    total = _sums(x * x, n, below)
    yield (
        of(total, alpha=alpha / n),
        ("alpha is divided by n, as cuda-convnet does; here it multiplies the plain sum"),
    )
    yield of(total, k=0), "k is forgotten"
    yield of(total, k=1), "k is 1: it should be self.k"
    yield of(total, k=2), "k is 2: it should be self.k"
    yield of(total, beta=0.75), "beta is 0.75: it should be self.beta"
    yield of(total, beta=1), "beta is forgotten: the power of s"
    yield x * (k + alpha * total) ** beta, "the sign of the power: x is divided, s^-beta"
    yield (k + alpha * total) ** -beta, "x is forgotten: y = x s^-beta"
    yield of(_sums(x, n, below)), "the squares are forgotten: the sum of x² is asked"
    yield of(_sums(abs(x), n, below)), "the sum of x², not of |x|"
    yield of(_sums(x, n, below) ** 2), "the sum of the squares, not the square of the sum"
    yield of(total, alpha=1), "alpha is forgotten"
    if n % 2 == 0:
        yield (
            of(_sums(x * x, 2 * below + 1, below)),
            ("an even size has one more below than above: c - size//2 ... c - size//2 + size - 1"),
        )
    yield of(_sums(x * x, n + 1, below)), "the window is one channel too long above"
    yield of(_sums(x * x, n - 1, below)), "the window is one channel too short above"
    yield of(_sums(x * x, n - 1, below - 1)), "the window is one channel too short below"
    yield of(_sums(x * x, n + 1, below + 1)), "the window is one channel too long below"
    yield of(_sums(x * x, 2 * n + 1, n)), "the window reaches n to both sides: n is its whole width"
    yield of(_sums(x * x, n, n - 1 - below)), "an even size has one more below than above, not less"
    yield of(_sums(x * x, n, 0)), "the window begins at c: it should lie around c"
    yield of(_sums(x * x, n, n - 1)), "the window ends at c: it should lie around c"
    yield of(total - x * x), "the channel itself belongs to the sum"
    wrapped = sum(np.roll(x * x, below - j, axis=-1) for j in range(n))
    yield of(wrapped), "the window wraps round: it is cut off at the first and last channel"
    yield of((x * x).sum(axis=-1, keepdims=True)), "the sum runs over all channels, not over size"
    mean = total / _sums(np.ones_like(x), n, below)
    yield of(mean), "a mean over the window: the sum is asked"
    if x.ndim == 4:
        yield (
            lambda: of(_sums(np.moveaxis(x * x, 1, -1), n, below).swapaxes(-1, 1)),
            ("the window lies across rows: it should lie across channels (the last axis)"),
        )
        for axis, word in ((1, "rows"), (2, "columns")):
            turned = np.moveaxis(_sums(np.moveaxis(x * x, axis, -1), n, below), -1, axis)
            yield of(turned), f"the window lies across {word}: it should lie across channels"
        turned = np.moveaxis(_sums(np.moveaxis(x * x, 0, -1), n, below), -1, 0)
        yield of(turned), "the window lies across the images: it should lie across channels"


def slips(array, layer, x, dy, seed):
    if array == "y":
        yield from _slips_y(layer, x)
        return
    n, below = layer.size, layer.size // 2
    k, alpha, beta = layer.k, layer.alpha, layer.beta
    s = k + alpha * _sums(x * x, n, below)
    own = dy * s**-beta
    inner = dy * x * s ** (-beta - 1)
    crossed = 2 * alpha * beta * x * _sums(inner, n, n - 1 - below)
    yield own, "the second term is forgotten: s depends on x too"
    yield own + crossed, "the sign of the second term: it is subtracted"
    yield -crossed, "the first term is forgotten"
    yield own - crossed / 2, "the factor 2 (from the square) is forgotten in the second term"
    yield own - crossed / alpha, "alpha is forgotten in the second term"
    yield own - crossed / beta, "beta is forgotten in the second term"
    yield own - crossed / n, "alpha is divided by n in the second term"
    yield own - 2 * crossed, "the second term is twice as large as it should be"
    yield (
        own - 2 * alpha * beta * x * _sums(inner, n, below),
        (
            "the window of backward is that of forward mirrored: channel j gets from those whose "
            "window holds j"
        ),
    )
    yield own - 2 * alpha * beta * x * inner, "the sum over the neighbours is forgotten"
    yield (
        own - 2 * alpha * beta * x * _sums(dy * x * s**-beta, n, n - 1 - below),
        ("the power in the second term is -beta - 1, not -beta"),
    )
    yield own - 2 * alpha * beta * _sums(inner, n, n - 1 - below), "x[j] is missing before the sum"
    yield (
        own - 2 * alpha * beta * x * _sums(dy * s ** (-beta - 1), n, n - 1 - below),
        ("x[c] is missing inside the sum"),
    )
    yield (
        own - 2 * alpha * beta * x * _sums(x * s ** (-beta - 1), n, n - 1 - below),
        ("dy[c] is missing inside the sum"),
    )
    yield (
        own - 2 * alpha * beta * x * dy * _sums(x * s ** (-beta - 1), n, n - 1 - below),
        "dy belongs inside the sum: each neighbour has its own",
    )
    yield (
        own - 2 * alpha * beta * _sums(x * inner, n, n - 1 - below),
        ("x[j] belongs outside the sum"),
    )
    yield dy, "dy comes back unchanged"


SUBJECT = probe.Subject(
    kind=LocalResponseNorm,
    cases=cases,
    by_hand=(
        probe.ByHand(
            make=lambda kind: kind(3, k=1.0, alpha=1.0, beta=1.0),
            x=[[[[1.0, 2.0, 1.0, 0.0]]]],
            # s = 1 + (1 + 4), 1 + (1 + 4 + 1), 1 + (4 + 1 + 0), 1 + (1 + 0)
            y=[[[[1 / 6, 2 / 7, 1 / 6, 0.0]]]],
            dy=[[[[0.0, 49.0, 0.0, 0.0]]]],
            # dy x / s² = 2 at the second channel: 49 * 2 / 49
            dx=[[[[-4.0, 7.0 - 8.0, -4.0, 0.0]]]],
            about="by hand: x = 1 2 1 0, size 3, k = alpha = beta = 1",
        ),
    ),
    naive=naive,
    slips=slips,
    axes={"y": probe.PICTURES, "dx": probe.PICTURES},
)

EXERCISE = Exercise(
    name="lrn",
    title="Local response normalisation",
    provides="LocalResponseNorm",
    minutes=75,
    task="""
Write `forward` and `backward` of the layer in which neighbours compete (paper, section 3.3): each
number is divided by the strength of those at the same place in the channels around it. The window
is cut off at the first and the last channel, and may be wider than there are channels. alpha
multiplies the plain sum, as the paper's formula says (famous codes divide it by n).
""",
    source=Source(
        "minialexnet.layers.norm",
        "LocalResponseNorm",
        ("forward", "backward"),
        helpers=("_window_sum", "_power"),
    ),
    definition=naive,
    hints=(
        "Write a function that sums over the window c - size//2 ... c - size//2 + size - 1 of the "
        "last axis first: it is needed three times. A frame of zeros saves the special cases.",
        "x[j] is in y[j] itself and in the s of all channels whose window holds j. Hence two "
        "terms in dx: dy[j] s[j]^-beta, and minus a sum over those channels c.",
        "backward: dx = dy * s**-beta - 2 * alpha * beta * x * W(dy * x * s**(-beta - 1)), with W "
        "the window mirrored: size - 1 - size//2 below instead of size//2.",
    ),
    checks=probe.checks(SUBJECT),
)
