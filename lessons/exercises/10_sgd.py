"""Gradient descent with momentum and weight decay.

Write `_moved`: where a weight is, and how fast, after one step of the paper's rule (section 5).
`step`, which goes through the parameters and knows which of them have a rate or decay of their own,
is there. Return two new arrays, (weight, velocity); what is handed in stays as it is.

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("sgd", SGD)
    exercise.hint("sgd")
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

import numpy as np

from minialexnet.backend import namespace
from minialexnet.errors import InputError
from minialexnet.optim import BLOCK, _last_match


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
        # YOUR CODE HERE
        raise NotImplementedError()

    def check_patterns(self, params: Mapping) -> None:
        """Raise InputError if a pattern of rates or decays matches none of the parameters."""
        for pattern in (*self.rates, *self.decays):
            if not any(fnmatchcase(name, pattern.partition("@")[0]) for name in params):
                raise InputError(
                    f'no parameter is named "{pattern}"; this network has {", ".join(params)}'
                )
