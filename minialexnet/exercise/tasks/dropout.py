"""The exercise on dropout. What is dropped is up to chance, so the laws of chance are checked."""

import numpy as np

from minialexnet import strict
from minialexnet.exercise.base import Check, Exercise, Failed
from minialexnet.exercise.compare import CLOSE, close, same
from minialexnet.exercise.probe import PICTURES, demand_dtype, memoryless, pair, unwritten
from minialexnet.exercise.source import Source
from minialexnet.exercise.training import compare_losses, losses
from minialexnet.layers import Dropout

# Large enough for shares to be told apart: the standard deviation of one of 40,000 is 0.25 %.
MANY = (8, 10, 5, 100)


def naive(layer, x, rng=None):
    """Number by number: dropped at a chance of `rate`, or weakened by as much in evaluation."""
    y = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        if rng is None:
            y[index] = x[index] if layer.inverted else (1 - layer.rate) * x[index]
        elif rng.random() >= layer.rate:
            y[index] = x[index] / (1 - layer.rate) if layer.inverted else x[index]
    return y


def _made(candidate, rate, inverted=False):
    layer = candidate(rate, inverted=inverted) if inverted else candidate(rate)
    if getattr(layer, "params", None) != {}:
        raise Failed("a Dropout has no parameters: params should be {}")
    return layer


def _settings(rng):
    """Rates that differ from 1 - rate, either way of scaling, and the numbers."""
    shape = tuple(int(i) for i in rng.permutation([2, 3, 4, 5]))
    for rate in rng.permutation([0.2, 0.7]).tolist():
        for inverted in (False, True):
            x = rng.standard_normal(shape)
            yield rate, inverted, x + np.sign(x), f"Dropout({rate}, inverted={inverted}), x {shape}"


def _kept(rate, inverted):
    """What a feature that is kept is multiplied by in training."""
    return 1 / (1 - rate) if inverted else 1.0


def _evaluation(candidate, rng):
    for rate, inverted, x, where in _settings(rng):
        layer = _made(candidate, rate, inverted)
        y, cache = pair(layer.forward(x.copy(), None), "forward")
        factor = 1.0 if inverted else 1 - rate
        where = f"evaluation, {where}"

        def slips(array, rate=rate, inverted=inverted):
            if inverted:
                yield (1 - rate) * array, "inverted dropout leaves x as it is in evaluation"
            else:
                yield array, "in evaluation x is weakened by 1 - rate (unless inverted)"
                yield rate * array, "weakened by rate: it should be by 1 - rate"
            yield array / (1 - rate), "divided by 1 - rate in evaluation"
            yield 0.5 * array, "weakened by 0.5: it should be by 1 - self.rate"

        if not np.all(y):
            raise Failed(f"features are dropped in evaluation ({where})", "rng=None is evaluation")
        same("y", y, factor * x, where=where, axes=PICTURES, slips=slips(x))
        dy = rng.standard_normal(x.shape)
        dx, _ = pair(layer.backward(dy, cache), "backward")
        same("dx", dx, factor * dy, where=where, axes=PICTURES, slips=slips(dy))


def _trained(candidate, rng, training_seed=None):
    for rate, inverted, x, where in _settings(rng):
        layer = _made(candidate, rate, inverted)
        seed = int(rng.integers(2**31))
        y, cache = pair(layer.forward(x.copy(), np.random.default_rng(seed)), "forward")
        yield rate, inverted, x, f"training, {where}", layer, y, cache


def _training(candidate, rng):
    for rate, inverted, x, where, _, y, _ in _trained(candidate, rng):
        if np.shape(y) != x.shape:
            raise Failed(f"y has the shape {np.shape(y)}, expected {x.shape} ({where})")
        kept = _kept(rate, inverted)
        if not np.any(y == 0):
            raise Failed(f"nothing is dropped ({where})", "with a generator this is training")
        mask = y != 0

        def slips(rate=rate, inverted=inverted, mask=mask, x=x):
            if inverted:
                yield mask * x, "inverted: those kept are divided by 1 - rate"
                yield mask * x / rate, "divided by rate: it should be by 1 - rate"
                yield mask * x * (1 - rate), "multiplied by 1 - rate: it should be divided by it"
            else:
                yield (
                    mask * x / (1 - rate),
                    ("this is inverted dropout: those kept stay as they are"),
                )
                yield mask * x * (1 - rate), "scaled in training: unless inverted, only evaluation"
                yield mask * x / rate, "those that are kept stay as they are"
            yield mask * 1.0, "your y is the mask itself"

        same("y", y, np.where(mask, kept * x, 0), where=where, axes=PICTURES, slips=slips())


def _share(candidate, rng):
    """How many are dropped, and whether each feature is dropped for itself."""
    for rate in (0.2, 0.7):
        layer = _made(candidate, rate)
        x = np.ones(MANY)
        y, _ = pair(layer.forward(x, np.random.default_rng(int(rng.integers(2**31)))), "forward")
        dropped = np.asarray(y) == 0
        if not dropped.any():
            raise Failed(f"nothing is dropped (training, Dropout({rate}))")
        for axis, word in enumerate(("images", "rows", "columns", "channels")):
            first = np.take(dropped, [0], axis)
            if (dropped == first).all():
                raise Failed(
                    f"all {word} have the same features dropped",
                    "the mask has too few numbers: one for each of x, rng.random(x.shape)",
                )
        share = float(dropped.mean())
        if abs(share - rate) > 0.015:
            odd = None
            if abs(share - (1 - rate)) <= 0.015:
                odd = "the share that is kept, not the one that is dropped, is rate"
            elif abs(share - 0.5) <= 0.015:
                odd = "a chance of one half whatever the rate is: use self.rate"
            raise Failed(f"{share:.1%} of the features are dropped, expected {rate:.0%}", odd)


def _gradients(candidate, rng):
    for rate, inverted, x, where, layer, y, cache in _trained(candidate, rng):
        dy = rng.standard_normal(x.shape)
        dx, grads = pair(layer.backward(dy.copy(), cache), "backward")
        if grads != {}:
            raise Failed(f"a Dropout has no parameters: grads should be {{}}, got {list(grads)}")
        mask, kept = y != 0, _kept(rate, inverted)
        if mask.all():
            raise Failed(f"nothing is dropped ({where}): mend forward first")

        def slips(rate=rate, inverted=inverted, mask=mask, dy=dy, x=x):
            yield dy, "dy comes back unchanged: what was dropped gets no gradient"
            yield mask * dy / (1 - rate), "scaled as inverted dropout, but forward was not"
            yield mask * dy, "the factor 1 / (1 - rate) of forward belongs to backward too"
            yield mask * dy * (1 - rate), "scaled by 1 - rate, but forward was not"
            yield (1 - rate) * dy, "this is evaluation's backward: the mask should be used"
            yield ~mask * dy, "the mask is the wrong way round"
            yield mask * 1.0, "dy is forgotten"
            yield mask * dy * x, "dy is multiplied by x"

        if np.any((dx != 0) != mask):
            likely = (
                None
                if np.all(dx) or not np.any((dx != 0) & mask)
                else ("another mask than in forward: keep the mask as the cache, do not draw again")
            )
            try:
                same("dx", dx, mask * kept * dy, slips=slips(), where=where, axes=PICTURES)
            except Failed as failure:
                if failure.likely is None and likely:
                    raise Failed(str(failure), likely) from None
                raise
        same("dx", dx, mask * kept * dy, slips=slips(), where=where, axes=PICTURES)


def _chance(candidate, rng):
    """The same generator drops the same, another one something else."""
    x = np.ones((3, 40))
    layer, seed = _made(candidate, 0.5), int(rng.integers(2**31))
    one, again, other = (
        np.array(pair(layer.forward(x.copy(), np.random.default_rng(s)), "forward")[0])
        for s in (seed, seed, seed + 1)
    )
    if not np.array_equal(one, again):
        raise Failed(
            "a generator of the same seed drops other features the second time",
            "draw from the rng that forward is given, and from nothing else",
        )
    if np.array_equal(one, other):
        raise Failed(
            "generators of different seeds drop the same features",
            "draw from the rng that forward is given, not from a seed of your own",
        )


def _dtype(candidate, rng):
    for dtype in ("float32", "float64"):
        for rate, inverted, x, where in _settings(rng):
            for generator in (None, np.random.default_rng(1)):
                layer = _made(candidate, rate, inverted)
                y, cache = pair(layer.forward(x.astype(dtype), generator), "forward")
                demand_dtype("y", y, dtype, where)
                dx, _ = pair(layer.backward(np.ones(x.shape, dtype), cache), "backward")
                demand_dtype("dx", dx, dtype, where)


def _untouched(candidate, rng):
    for rate, inverted, x, _ in _settings(rng):
        for generator in (None, np.random.default_rng(1)):
            layer, before = _made(candidate, rate, inverted), x.copy()
            dy = rng.standard_normal(x.shape)
            dy_before = dy.copy()
            _, cache = pair(layer.forward(x, generator), "forward")
            unwritten("x", x, before, "forward")
            layer.backward(dy, cache)
            unwritten("dy", dy, dy_before, "backward")


def _no_memory(candidate, rng):
    for seed in (None, 1):
        x = rng.standard_normal((3, 12))
        memoryless(_made(candidate, 0.5), x, seed, f"Dropout(0.5), x {x.shape}")


def _trains(candidate, rng):
    """The library's network drops what the student's dropped, so the losses must be equal."""
    seed, masks = int(rng.integers(2**31)), []

    class Recorded(candidate):
        def forward(self, x, rng=None):
            y, cache = super().forward(x, rng)
            if rng is not None:
                masks.append(np.array(y) != 0)
            return y, cache

    came = losses(seed, Dropout=Recorded)

    class Replayed(Dropout):
        def forward(self, x, rng=None):
            if rng is None:
                return super().forward(x)
            mask = masks.pop(0).astype(x.dtype)
            return x * mask, mask

    compare_losses(seed, came, Dropout=Replayed)


def _accelerated(candidate, rng):
    for rate, inverted, x, where in _settings(rng):
        layer, x = _made(candidate, rate, inverted), x.astype("float32")
        here, _ = pair(layer.forward(x, np.random.default_rng(1)), "forward")
        there, cache = layer.forward(strict.asarray(x), np.random.default_rng(1))
        layer.backward(strict.asarray(x), cache)
        if not close(strict.asnumpy(there), here, CLOSE["float32"]):
            raise Failed(f"y on an accelerator is not what it is on NumPy ({where})")


EXERCISE = Exercise(
    name="dropout",
    title="Dropout",
    provides="Dropout",
    minutes=30,
    task="""
Write `forward` and `backward` of the layer that trains another thinned network on every batch
(paper, section 4.2). `forward(x, rng)` is training if rng is a NumPy generator and evaluation if it
is None. In training each number of x is dropped for itself, with chances drawn from rng; backward
lets dy through where x was kept, with the same factor. Mind `self.inverted`.
""",
    source=Source("minialexnet.layers.dropout", "Dropout", ("forward", "backward")),
    definition=naive,
    hints=(
        "rng.random(x.shape) gives a number between 0 and 1 for each of x. What share of them lies "
        "below self.rate?",
        "mask = rng.random(x.shape, dtype=np.float32) >= self.rate; y = x * mask. Keep the mask as "
        "the cache: backward must not draw another. In evaluation the 'mask' is one number.",
        "kept = 1 - rate in evaluation (1 if inverted); in training the mask (divided by 1 - rate "
        "if inverted). forward: x * kept, kept; backward: dy * cache, {}. namespace(x).asarray "
        "brings the mask to where x is; .astype(x.dtype) before dividing keeps the dtype.",
    ),
    checks=(
        Check("evaluation", 2, _evaluation),
        Check("training", 2, _training),
        Check("the right share is dropped", 2, _share),
        Check("gradients", 3, _gradients),
        Check("chance comes from rng", 1, _chance),
        Check("dtype kept", 1, _dtype),
        Check("input untouched", 1, _untouched),
        Check("no memory", 1, _no_memory),
        Check("trains the network", 1, _trains),
        Check("on an accelerator", 0, _accelerated),
    ),
)
