"""The exercise on gradient descent."""

import numpy as np

from minialexnet import strict
from minialexnet.exercise.base import Check, Exercise, Failed
from minialexnet.exercise.compare import CLOSE, close, same
from minialexnet.exercise.probe import copied, demand_dtype, unwritten
from minialexnet.exercise.source import Source
from minialexnet.exercise.training import compare_losses


def naive(weights, gradients, rates, momentum, decay):
    """One number after the other: where the weights are after each step, and the velocities."""
    w, path = weights.copy(), []
    v = np.zeros_like(w)
    for gradient, rate in zip(gradients, rates, strict=True):
        for index in np.ndindex(w.shape):
            v[index] = momentum * v[index] - rate * decay * w[index] - rate * gradient[index]
            w[index] = w[index] + v[index]
        path.append((w.copy(), v.copy()))
    return path


# Other rules, each a step from (w, v) to (w, v), and the mistake that leads to them.
RULES = (
    (lambda w, v, g, r, m, d: _with(w, m * v - r * g), "the weight decay is forgotten"),
    (
        lambda w, v, g, r, m, d: _with(w, -r * d * w - r * g),
        "momentum has no effect: it is forgotten, or the velocity is not kept for the next step",
    ),
    (
        lambda w, v, g, r, m, d: _with(w, m * v - d * w - r * g),
        "the decay is not multiplied by the learning rate",
    ),
    (lambda w, v, g, r, m, d: _with(w, m * v + r * d * w - r * g), "the sign of the decay"),
    (lambda w, v, g, r, m, d: _with(w, m * v + r * d * w + r * g), "it goes up the gradient"),
    (lambda w, v, g, r, m, d: _with(w, m * v - r * d * w + r * g), "it goes up the gradient"),
    (
        lambda w, v, g, r, m, d: _with(w, m * v - r * d * v - r * g),
        "the decay pulls at w, not at v",
    ),
    (
        lambda w, v, g, r, m, d: _with(w, m * v - (1 - m) * r * (g + d * w)),
        "the gradient is multiplied by 1 - momentum: the paper does not",
    ),
    (
        lambda w, v, g, r, m, d: (w + r * (m * v - g - d * w), m * v - g - d * w),
        "the rate multiplies the velocity (PyTorch's rule): it belongs inside, before v",
    ),
    (
        lambda w, v, g, r, m, d: (w - r * (m * v + g + d * w), m * v + g + d * w),
        "the rate multiplies the velocity (PyTorch's rule): it belongs inside, before v",
    ),
    (
        lambda w, v, g, r, m, d: (
            w + m * (m * v - r * (g + d * w)) - r * (g + d * w),
            m * v - r * (g + d * w),
        ),
        "this is Nesterov's momentum: w + v, no look ahead",
    ),
    (
        lambda w, v, g, r, m, d: (w + v, m * v - r * d * w - r * g),
        "the weight moves by the velocity before the step: by the new one it should",
    ),
    (lambda w, v, g, r, m, d: _with(w, v - r * d * w - r * g), "the velocity is never weakened"),
    (lambda w, v, g, r, m, d: (w - v, m * v + r * d * w + r * g), "the old velocity is used"),
    (
        lambda w, v, g, r, m, d: _with(w, m * v - r * d * np.sign(w) - r * g),
        "this decay pulls at every weight alike: it should be in proportion to w",
    ),
    (
        lambda w, v, g, r, m, d: (w + m * v - r * g - r * d * w, m * v - r * g),
        "the decay belongs into the velocity too",
    ),
    (
        lambda w, v, g, r, m, d: _with(w, m * v - r * d * (w + m * v) - r * g),
        "the decay should be that of w before the step",
    ),
    (lambda w, v, g, r, m, d: _with(w, m * v - 2 * r * d * w - r * g), "the decay counts twice"),
    (lambda w, v, g, r, m, d: _with(w, m * (v - r * (d * w + g))), "momentum multiplies all of v"),
    (lambda w, v, g, r, m, d: _with(w, m * v - r * g * np.ones_like(w)), "the decay is forgotten"),
    (lambda w, v, g, r, m, d: (w + v, v), "nothing moves"),
    (
        lambda w, v, g, r, m, d: (
            (w + m * v - r * g) * (1 - r * d),
            (w + m * v - r * g) * (1 - r * d) - w,
        ),
        "the decay is taken from the weight after the step",
    ),
    (lambda w, v, g, r, m, d: (w - m * v - r * d * w - r * g, -m * v - r * g), "the sign of v"),
)


def _with(w, v):
    return w + v, v


def _path_of(rule, w, gradients, rates, momentum, decay):
    v = np.zeros_like(w)
    for gradient, rate in zip(gradients, rates, strict=True):
        w, v = rule(w, v, gradient, rate, momentum, decay)
    return w


def _slips(w, gradients, rates, momentum, decay):
    """Where the weights would be with other rules, or with numbers written down in the code."""
    for rule, mistake in RULES:
        yield _path_of(rule, w, gradients, rates, momentum, decay), mistake
    right = _numbers(w, gradients, rates, 0.9, decay)
    yield right, "momentum is 0.9: it should be self.momentum"
    right = _numbers(w, gradients, rates, momentum, 0.0005)
    yield right, "the decay is 0.0005: it should be the one that is handed in"
    first = [rates[0]] * len(rates)
    yield _numbers(w, gradients, first, momentum, decay), "the rate of the first step is kept"


def _numbers(w, gradients, rates, momentum, decay):
    return naive(w, gradients, rates, momentum, decay)[-1][0]


def _walk(candidate, params, gradients, rates, momentum, decay, put=np.asarray, get=np.asarray):
    """The student's weights after each step."""
    sgd = candidate(momentum=momentum, decay=decay)
    params = {name: put(w) for name, w in params.items()}
    for grads, rate in zip(gradients, rates, strict=True):
        moved = sgd.step(params, {name: put(g) for name, g in grads.items()}, rate)
        if not isinstance(moved, dict) or moved.keys() != params.keys():
            raise Failed(f"step should return the parameters {list(params)}, by name")
        params = moved
        yield {name: get(w) for name, w in moved.items()}, sgd


def _scene(rng, steps=3):
    """Weights of two shapes, gradients and rates that differ from step to step."""
    shapes = {"conv1.weight": (2, 3, 4), "conv1.bias": (3,)}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    gradients = [
        {name: rng.standard_normal(shape) for name, shape in shapes.items()} for _ in range(steps)
    ]
    rates = rng.permutation([0.3, 0.1, 0.5, 0.2])[:steps].tolist()
    momentum, decay = float(rng.uniform(0.5, 0.8)), float(rng.uniform(0.1, 0.3))
    return params, gradients, rates, momentum, decay


def _shapes(candidate, rng):
    params, *rest = _scene(rng, 1)
    for moved, _ in _walk(candidate, params, *rest):
        for name, w in params.items():
            if np.shape(moved[name]) != w.shape:
                raise Failed(f"{name} has the shape {np.shape(moved[name])}, expected {w.shape}")


def _by_hand(candidate, rng):
    """v <- 0.5 v - rate 0.1 w - rate dw; w <- w + v, with another rate at every step.

    step 1: v = 0         - 0.2 * 0.1 * 1     - 0.2 * 2    = -0.42      w = 0.58
    step 2: v = -0.21     - 0.1 * 0.1 * 0.58  - 0.1 * -1   = -0.1158    w = 0.4642
    """
    w, gradients = np.array([1.0]), [np.array([2.0]), np.array([-1.0])]
    rates = [0.2, 0.1]
    steps = _walk(candidate, {"w": w}, [{"w": g} for g in gradients], rates, 0.5, 0.1)
    for count, ((moved, _), right) in enumerate(zip(steps, (0.58, 0.4642), strict=True), 1):
        slips = _slips(w, gradients[:count], rates[:count], 0.5, 0.1)
        where = f"step {count} by hand: momentum 0.5, decay 0.1"
        same("w", moved["w"], np.array([right]), slips=slips, where=where)


def _one_step(candidate, rng):
    _compare(candidate, rng, 1)


def _several(candidate, rng):
    _compare(candidate, rng, 3)


def _compare(candidate, rng, steps):
    params, gradients, rates, momentum, decay = _scene(rng, steps)
    walk = list(_walk(candidate, params, gradients, rates, momentum, decay))
    for name, w in params.items():
        mine = [grads[name] for grads in gradients]
        for count, (right, _) in enumerate(naive(w, mine, rates, momentum, decay), 1):
            slips = _slips(w, mine[:count], rates[:count], momentum, decay)
            where = f"after {count} steps"
            same(name, walk[count - 1][0][name], right, slips=slips, where=where)


def _coasts(candidate, rng):
    """With rate 0 the weights coast on: lowering the rate does not slow the velocity down."""
    w, g = np.zeros(3), rng.standard_normal(3)
    *_, (moved, _) = _walk(candidate, {"w": w}, [{"w": g}] * 2, [1.0, 0.0], 0.5, 0.0)
    where = "a step at rate 1, one at rate 0"
    slips = _slips(w, [g, g], [1.0, 0.0], 0.5, 0.0)
    same("w", moved["w"], -1.5 * g, slips=slips, where=where)


def _patterns(candidate, rng):
    """Biases at twice the rate and without decay, conv1 frozen: as the original code has it."""
    w, g = np.ones(2), np.array([1.0, -2.0])
    names = ("conv1.weight", "fc.weight", "fc.bias")
    sgd = candidate(
        momentum=0.5, decay=0.25, rates={"*.bias": 2, "conv1.*": 0}, decays={"*.bias": 0}
    )
    moved = sgd.step({name: w.copy() for name in names}, dict.fromkeys(names, g), 0.1)
    right = (w, w - 0.1 * (0.25 * w + g), w - 0.2 * g)
    for name, wanted in zip(names, right, strict=True):
        same(name, moved[name], wanted, where="rates={'*.bias': 2, 'conv1.*': 0}")


def _dtype(candidate, rng):
    params, gradients, rates, momentum, decay = _scene(rng)
    for dtype in ("float32", "float64"):
        cast = {name: w.astype(dtype) for name, w in params.items()}
        steps = [{name: g.astype(dtype) for name, g in grads.items()} for grads in gradients]
        for moved, _ in _walk(candidate, cast, steps, rates, momentum, decay):
            for name, w in moved.items():
                demand_dtype(name, w, dtype, "after a step", given="the weight")


def _untouched(candidate, rng):
    params, gradients, rates, momentum, decay = _scene(rng)
    sgd = candidate(momentum=momentum, decay=decay)
    for grads, rate in zip(gradients, rates, strict=True):
        old = dict(getattr(sgd, "velocity", None) or {})
        given = {**params, **{f"d{name}": g for name, g in grads.items()}}
        given |= {f"velocity of {name}": v for name, v in old.items()}
        before = copied(given)
        moved = sgd.step(params, grads, rate)
        for name, array in given.items():
            unwritten(name, array, before[name], "step")
        for name, w in moved.items():
            if np.shares_memory(w, params[name]):
                raise Failed(f"{name} is the same array as before the step: a new one is asked for")
        params = moved


def _trains(candidate, rng):
    compare_losses(int(rng.integers(2**31)), sgd=candidate)


def _accelerated(candidate, rng):
    scene = _scene(rng)
    here = _walk(candidate, *scene)
    there = _walk(candidate, *scene, put=strict.asarray, get=strict.asnumpy)
    for (mine, _), (theirs, _) in zip(here, there, strict=True):
        for name, w in mine.items():
            if not close(theirs[name], w, CLOSE["float32"]):
                raise Failed(f"{name} on an accelerator is not what it is on NumPy")


EXERCISE = Exercise(
    name="sgd",
    title="Gradient descent with momentum and weight decay",
    provides="SGD",
    minutes=30,
    task="""
Write `_moved`: where a weight is, and how fast, after one step of the paper's rule (section 5).
`step`, which goes through the parameters and knows which of them have a rate or decay of their own,
is there. Return two new arrays, (weight, velocity); what is handed in stays as it is.
""",
    source=Source("minialexnet.optim", "SGD", ("_moved",)),
    definition=naive,
    hints=(
        "A ball rolls down a slope: it keeps a share of its velocity, and the slope adds to it.",
        "v <- momentum v - rate decay w - rate dw, then w <- w + v, with the new v. Which of the "
        "two do you need first?",
        "new = self.momentum * velocity - rate * decay * weight - rate * grad; "
        "return weight + new, new.",
    ),
    checks=(
        Check("shapes", 1, _shapes),
        Check("by hand", 1, _by_hand),
        Check("one step against the naive loop", 2, _one_step),
        Check("several steps against the naive loop", 3, _several),
        Check("coasts at rate 0", 1, _coasts),
        Check("rates and decays by name", 1, _patterns),
        Check("dtype kept", 1, _dtype),
        Check("input untouched", 1, _untouched),
        Check("trains the network", 1, _trains),
        Check("on an accelerator", 0, _accelerated),
    ),
)
