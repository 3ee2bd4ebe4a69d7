"""How the weights move: the paper's gradient descent, and its learning rate over time."""

import math
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase

import numpy as np

from minialexnet.backend import namespace
from minialexnet.errors import InputError

# Weights whose update stays within a processor core's cache.
BLOCK = 2**16
# The share of the learning rate that a warm-up begins with.
WARM = 0.01


class SGD:
    """Stochastic gradient descent with momentum and weight decay, as the paper has it (section 5).

    v <- momentum v - rate decay w - rate dw
    w <- w + v

    The learning rate multiplies the decay and the gradient before they enter the velocity v, so
    lowering it does not slow down the velocity gathered so far. (PyTorch multiplies the velocity
    instead.)

    Parameters
    ----------
    momentum : share of the velocity that is kept, 0.9 in the paper
    decay : weight decay of every parameter that no pattern names, 0.0005 in the paper
    rates : {pattern: factor} multiplies the learning rate of the parameters whose name matches
        (shell patterns; the last match counts). {"*.bias": 2, "conv1.*": 0}: biases learn twice as
        fast, conv1 is frozen: neither its weights nor its velocity change. A pattern may begin to
        count later: {"conv1.*@72": 0} freezes conv1 from epoch 72 on.
    decays : {pattern: decay}, likewise. {"*.bias": 0}: biases do not decay.

    Notes
    -----
    The original code runs this rule (src/weights.cu) with biases at twice the rate of the weights
    and without decay, which the paper does not mention.
    """

    def __init__(
        self,
        momentum: float = 0.9,
        decay: float = 0.0005,
        rates: Mapping[str, float] | None = None,
        decays: Mapping[str, float] | None = None,
    ):
        self.momentum = momentum
        self.decay = decay
        self.rates = dict(rates or {})
        self.decays = dict(decays or {})
        self.velocity: dict = {}

    def step(self, params: Mapping, grads: Mapping, rate: float, epoch: float = 0.0) -> dict:
        """The parameters after one step down the gradient.

        Parameters
        ----------
        params, grads : {name: array}, with equal names and shapes
        rate : the learning rate
        epoch : passes over the training set so far, for patterns that begin to count later

        Returns
        -------
        {name: array}, new arrays; those handed in stay as they are

        Raises
        ------
        InputError
            If a pattern of rates or decays matches no parameter.
        """
        if not self.velocity:
            self.check_patterns(params)
        moved = {}
        for name, weight in params.items():
            factor = _last_match(self.rates, name, 1.0, epoch)
            if factor == 0:
                moved[name] = weight
                continue
            decay = _last_match(self.decays, name, self.decay, epoch)
            velocity = self.velocity.get(name)
            if velocity is None:
                velocity = namespace(weight).zeros_like(weight)
            moved[name], self.velocity[name] = self._moved(
                weight, velocity, grads[name], rate * factor, decay
            )
        return moved

    def _moved(self, weight, velocity, grad, rate: float, decay: float):
        """The weight and the velocity of one parameter after the step.

        Parameters
        ----------
        weight, velocity, grad : arrays of one shape; they stay as they are
        rate, decay : those of this parameter

        Returns
        -------
        weight, velocity : two new arrays of that shape and of the weight's dtype
        """
        xp = namespace(weight, velocity, grad)
        # Zeros, because memory that is given out as such is not touched before it is written to.
        moved, velocities = (xp.zeros(weight.size, weight.dtype) for _ in range(2))
        w, v, dw = (array.reshape(-1) for array in (weight, velocity, grad))
        # In one piece, each of these passes would fetch all the weights from memory again.
        size = BLOCK if xp is np else w.size
        for first in range(0, w.size, size):
            part = slice(first, first + size)
            new = self.momentum * v[part]
            if decay:
                new -= (rate * decay) * w[part]
            new -= rate * dw[part]
            moved[part], velocities[part] = w[part] + new, new
        return moved.reshape(weight.shape), velocities.reshape(weight.shape)

    def check_patterns(self, params: Mapping) -> None:
        """Raise InputError if a pattern of rates or decays matches none of the parameters."""
        for pattern in (*self.rates, *self.decays):
            if not any(fnmatchcase(name, pattern.partition("@")[0]) for name in params):
                raise InputError(
                    f'no parameter is named "{pattern}"; this network has {", ".join(params)}'
                )


def begins(pattern: str) -> float | None:
    """The epoch from which a pattern counts: 72 for "conv1.*@72", else 0; None if that is none."""
    _, at, epoch = pattern.partition("@")
    try:
        found = float(epoch) if at else 0.0
    except ValueError:
        return None
    return found if 0 <= found < math.inf else None


def _last_match(patterns: Mapping[str, float], name: str, default: float, epoch: float) -> float:
    found = [
        value
        for pattern, value in patterns.items()
        if begins(pattern) <= epoch and fnmatchcase(name, pattern.partition("@")[0])
    ]
    return found[-1] if found else default


# A schedule says the learning rate at a moment of the run. It is a function of where the run is
# and of the validation errors so far, so that a run which is taken up again needs no memory of it.
#
#   epoch : passes over the training set so far, with the part of the current one (0.0, 0.25, ...)
#   errors : the validation error after each whole epoch so far, shares of 1
Schedule = Callable[[float, Sequence[float]], float]


def constant(rate: float) -> Schedule:
    """The same learning rate throughout."""
    return lambda epoch, errors: rate


def steps(rate: float, drop_at: Sequence[float], factor: float = 0.1) -> Schedule:
    """The rate times `factor` from each of the epochs `drop_at` on."""
    return lambda epoch, errors: rate * factor ** sum(epoch >= drop for drop in drop_at)


def plateau(rate: float, patience: int = 3, factor: float = 0.1, drops: int = 3) -> Schedule:
    """The rate times `factor` whenever the validation error stops improving (paper, section 5).

    Parameters
    ----------
    patience : epochs without a new lowest error before the rate drops. The authors judged by eye.
    drops : the rate drops at most so often, three times in the paper
    """

    def rate_now(epoch: float, errors: Sequence[float]) -> float:
        best, waited, dropped = math.inf, 0, 0
        for error in errors:
            best, waited = (error, 0) if error < best else (best, waited + 1)
            if waited == patience and dropped < drops:
                waited, dropped = 0, dropped + 1
        return rate * factor**dropped

    return rate_now


def linear(rate: float, epochs: float, final: float = 0.0) -> Schedule:
    """A straight line from `rate` to `rate * final` at the end of the run."""
    return lambda epoch, errors: rate * (1 + (final - 1) * _share(epoch, epochs))


def cosine(rate: float, epochs: float, final: float = 0.0) -> Schedule:
    """Half a cosine from `rate` to `rate * final` at the end of the run."""
    return lambda epoch, errors: (
        rate * (final + (1 - final) * (1 + math.cos(math.pi * _share(epoch, epochs))) / 2)
    )


def dexp(rate: float, epochs: float, final: float, levels: int) -> Schedule:
    """Stairs of equal length and equal ratio from `rate` down to `rate * final`.

    Parameters
    ----------
    levels : how many different rates there are, at least 2

    Notes
    -----
    cuda-convnet2's dexp[base; tgtFactor; numSteps], with final = 1 / tgtFactor and levels =
    numSteps: for base 0.01, factor 250 and 4 steps a quarter of the run each at 0.01, 0.0016,
    0.00025 and 0.00004.
    """

    def rate_now(epoch: float, errors: Sequence[float]) -> float:
        level = min(levels - 1, int(_share(epoch, epochs) * levels))
        return rate * final ** (level / (levels - 1))

    return rate_now


def warmed(schedule: Schedule, epochs: float) -> Schedule:
    """Another schedule's rate, rising to it at the beginning: large batches need that.

    Parameters
    ----------
    epochs : how long a straight line takes from WARM of the rate to all of it; 0: no time

    Notes
    -----
    Goyal et al. (2017), section 2.2, start from the rate of one processor. Here, as in
    torchvision's training scripts, it is 1 % of the rate, however many processors there are.
    """

    def rate_now(epoch: float, errors: Sequence[float]) -> float:
        rate = schedule(epoch, errors)
        return rate if epoch >= epochs else rate * (WARM + (1 - WARM) * epoch / epochs)

    return rate_now


def _share(epoch: float, epochs: float) -> float:
    return min(1.0, epoch / epochs)
