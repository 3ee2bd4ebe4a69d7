"""How much sooner does a network with ReLUs learn? (Paper, section 3.1 and figure 1.)

As there: the steps until the training error has fallen to 25 %, each activation at its own best
rate, which stays the same, without regularisation of any kind. Every rate is tried from the first
seed; the one that is there first is then repeated from the others. The initial weights give every
layer's output a variance of 1, so that none of the activations begins where it is flat.
"""

from dataclasses import replace

from minialexnet.experiments import base
from minialexnet.experiments.base import RECIPE, Experiment, Training
from minialexnet.layers import ReLU, Sigmoid, Tanh

TARGET = 0.25
# Epochs after which one that is not there yet is given up.
CAP = 15

ACTIVATIONS = {
    "ReLU": (ReLU, (0.003, 0.01, 0.03)),
    "tanh": (Tanh, (0.003, 0.01, 0.03)),
    "sigmoid": (Sigmoid, (0.03, 0.1, 0.3)),
}

_RECIPE = replace(
    RECIPE, epochs=CAP, schedule="constant", decay=0.0, rates={}, decays={}, init="lsuv"
)


def best_rate(rows, name: str, seed: int) -> float | None:
    """The best rate of an activation, as `base.best_rate`; None while one was not tried."""
    return base.best_rate(rows, name, ACTIVATIONS[name][1], seed)


RELU = Experiment(
    "steps to 25 % training error with ReLU, tanh and the logistic function",
    base.at_best_rates(
        {
            name: (Training(name, _RECIPE, network={"ReLU": kind}, target=TARGET), rates)
            for name, (kind, rates) in ACTIVATIONS.items()
        }
    ),
)
