"""Experiments on CIFAR-10 that take longer than a lesson: one idea a file.

Each is a table of settings. A setting is trained from several seeds, and every finished training
becomes a row of a CSV file that the lessons read.
"""

from minialexnet.errors import InputError
from minialexnet.experiments.amount import DATA
from minialexnet.experiments.augment import AUGMENT
from minialexnet.experiments.base import Experiment, Training
from minialexnet.experiments.dropout import DROPOUT
from minialexnet.experiments.lrn import LRN
from minialexnet.experiments.overlap import OVERLAP
from minialexnet.experiments.relu import RELU
from minialexnet.experiments.width import WIDTH

__all__ = ["EXPERIMENTS", "Experiment", "Training", "experiment"]

EXPERIMENTS = {
    "relu": RELU,
    "overlap": OVERLAP,
    "dropout": DROPOUT,
    "lrn": LRN,
    "augment": AUGMENT,
    "width": WIDTH,
    "data": DATA,
}


def experiment(name: str) -> Experiment:
    """The experiment of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in EXPERIMENTS:
        known = ", ".join(EXPERIMENTS)
        raise InputError(f'unknown experiment "{name}": expected one of {known}')
    return EXPERIMENTS[name]
