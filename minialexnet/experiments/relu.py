"""How much sooner does a network with ReLUs learn? (Paper, section 3.1 and figure 1.)

As there: the steps until the training error has fallen to 25 %, each activation at its own best
rate, which stays the same, without regularisation of any kind. Every rate is tried from the first
seed; the one that is there first is then repeated from the others. The initial weights give every
layer's output a variance of 1, so that none of the activations begins where it is flat.
"""

from dataclasses import replace

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


def _racing(name: str, rate: float, seed: int) -> Training:
    kind, _ = ACTIVATIONS[name]
    recipe = replace(_RECIPE, rate=rate, seed=seed)
    return Training(name, recipe, network={"ReLU": kind}, target=TARGET)


def best_rate(rows, name: str, seed: int) -> float | None:
    """The rate that reached the target first; if none did, that with the lowest training error.

    Parameters
    ----------
    rows : of the table of results
    name : of the activation

    Returns
    -------
    None while one of its rates has not been tried from this seed, and if all of them diverged
    """
    tried = [row for row in rows if row["setting"] == name and row["seed"] == seed]
    if {row["rate"] for row in tried} < set(ACTIVATIONS[name][1]):
        return None

    def late(row) -> tuple:
        return row["ended"] != "target", row["steps"], row["train_error"]

    sane = [row for row in tried if row["ended"] != "diverged"]
    return min(sane, key=late)["rate"] if sane else None


def plan(rows, seeds) -> list[Training]:
    """Every rate from the first seed, then the best ones from the others."""
    first, *others = seeds
    trainings = [
        _racing(name, rate, first) for name, (_, rates) in ACTIVATIONS.items() for rate in rates
    ]
    for seed in others:
        for name in ACTIVATIONS:
            if (rate := best_rate(rows, name, first)) is not None:
                trainings.append(_racing(name, rate, seed))
    return trainings


RELU = Experiment("steps to 25 % training error with ReLU, tanh and the logistic function", plan)
