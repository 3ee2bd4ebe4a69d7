"""Every number of a run, in one place: each field is an option of `minialexnet train`."""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minialexnet import initial, networks, optim
from minialexnet.backend import Device
from minialexnet.chance import generator
from minialexnet.data import (
    CROPS,
    Dataset,
    Input,
    Look,
    Views,
    drawn_mirrors,
    drawn_places,
    drawn_shifts,
    seen,
)
from minialexnet.engine import ENGINES, WORKSPACE
from minialexnet.errors import InputError
from minialexnet.precision import PRECISIONS
from minialexnet.scaling import ScaledSGD

# Schedules that are the same however long the run is.
OPEN_ENDED = ("constant", "steps", "plateau")
SCHEDULES = (*OPEN_ENDED, "linear", "cosine", "dexp")


def _option(default, text: str) -> Any:
    if isinstance(default, (dict, tuple)):
        return field(default_factory=lambda: default, metadata={"help": text})
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Recipe:
    """What decides the result of a run, to the last bit.

    Raises
    ------
    InputError
        If a number makes no sense; the message names it.
    """

    network: str = _option("mini", "the network, by its name in minialexnet.networks")
    data: str = _option("shapes", "shapes (built in), cifar10, or a prepared folder")
    epochs: int = _option(5, "passes over the training set")
    batch: int = _option(32, "images in a step")
    crop: int = _option(
        0, "side of the part of a picture that the network sees, anywhere in training; 0: all of it"
    )
    flip: bool = _option(False, "mirror half of the pictures in training")
    share: int = _option(1, "consecutive pictures of a batch that share their part and mirroring")
    colour: float = _option(
        0.0, "colour noise in training, in standard deviations of the pictures' own colours"
    )
    colour_epochs: float = _option(0.0, "epochs after which colour noise ends; 0: never")
    colour_tone: bool = _option(
        False, "divide pictures with colour noise by 1 + --colour, as the original code did"
    )
    crops: str = _option("center", "parts of a picture that `evaluate` looks at: center or ten")
    scale: tuple[float, ...] = _option(
        (1 / 64,),
        "what pixels are multiplied by, after the mean is subtracted: one number, or R G B",
    )
    rate: float = _option(0.015, "learning rate at the beginning")
    schedule: str = _option("linear", f"how the rate falls: {', '.join(SCHEDULES)}")
    drop_at: tuple[float, ...] = _option((8.0, 11.0), "steps: epochs at which the rate drops")
    drop_factor: float = _option(0.1, "steps, plateau: what a drop multiplies the rate by")
    patience: int = _option(3, "plateau: epochs without a better test error before a drop")
    drops: int = _option(3, "plateau: drops at most")
    final: float = _option(0.0, "linear, cosine, dexp: the last rate as a share of the first")
    levels: int = _option(4, "dexp: how many different rates")
    warmup: float = _option(
        0.0, "epochs in which the rate rises from a hundredth to where the schedule has it; 0: none"
    )
    momentum: float = _option(0.9, "share of the velocity that is kept at each step")
    decay: float = _option(0.0005, "weight decay")
    rates: dict[str, float] = _option(
        {"*.bias": 2.0},
        "factors of the rate by parameter name, and from which epoch on, such as '*.bias=2' "
        "'conv1.*@72=0'",
    )
    decays: dict[str, float] = _option(
        {"*.bias": 0.0}, "weight decays by parameter name, such as '*.bias=0' 'fc8.weight=0.03'"
    )
    init: str = _option(
        initial.TABLE, f"initial weights: {', '.join(initial.INITIALISATIONS)} (the network's own)"
    )
    seed: int = _option(0, "of the weights, the order of images and the dropped features")
    engine: str = _option(
        "winograd",
        "on a CPU: plain (layers as they are written), sliced (the batch in slices), winograd "
        "(and convolutions with fewer multiplications where that pays)",
    )
    precision: str = _option(
        "float32",
        f"{', '.join(PRECISIONS)}: how exactly to calculate (tf32: on a GPU; float16: the weights "
        "stay float32)",
    )
    workspace: int = _option(
        WORKSPACE, "on a GPU: MB that a convolution may unroll at a time; less is slower"
    )
    stall_after: int = _option(300, "steps after which a loss that never moved is reported")

    def __post_init__(self):
        known = networks.__all__
        self._demand(self.network in known, "network", f"one of {', '.join(known)}")
        self._demand(self.engine in ENGINES, "engine", f"one of {', '.join(ENGINES)}")
        kinds = PRECISIONS
        self._demand(self.precision in kinds, "precision", f"one of {', '.join(kinds)}")
        self._demand(self.schedule in SCHEDULES, "schedule", f"one of {', '.join(SCHEDULES)}")
        inits = initial.INITIALISATIONS
        self._demand(self.init in inits, "init", f"one of {', '.join(inits)}")
        self._demand(self.crops in CROPS, "crops", f"one of {', '.join(CROPS)}")
        self._demand(self.crops == "center" or self.crop > 0, "crops", "center without a --crop")
        self._demand(len(self.scale) in (1, 3), "scale", "one number, or one for each of R, G, B")
        for name in ("epochs", "batch", "patience", "stall_after", "share", "workspace"):
            self._demand(getattr(self, name) >= 1, name, "1 or more")
        for name in (
            "drops",
            "seed",
            "decay",
            "final",
            "crop",
            "colour",
            "colour_epochs",
            "warmup",
        ):
            self._demand(0 <= getattr(self, name) < float("inf"), name, "0 or more")
        for name in ("rate", "drop_factor"):
            self._demand(0 < getattr(self, name) < float("inf"), name, "a number above 0")
        good = all(0 < number < float("inf") for number in self.scale)
        self._demand(good, "scale", "numbers above 0")
        self._demand(0 <= self.momentum < 1, "momentum", "0 or more and below 1")
        for name in ("drop_at", "rates", "decays"):
            numbers = getattr(self, name)
            numbers = numbers if name == "drop_at" else numbers.values()
            good = all(0 <= number < float("inf") for number in numbers)
            self._demand(good, name, "numbers of 0 or more")
        for name in ("rates", "decays"):
            good = all(optim.begins(pattern) is not None for pattern in getattr(self, name))
            self._demand(good, name, "by patterns such as *.bias or conv1.*@72")
        if self.schedule == "dexp":
            self._demand(self.levels >= 2, "levels", "2 or more")
            self._demand(self.final > 0, "final", "a number above 0")

    def _demand(self, condition: bool, name: str, expected: str) -> None:
        if not condition:
            raise InputError(f"{name} should be {expected}, got {getattr(self, name)}")

    def seen(self, mean: np.ndarray, device: Device) -> Input:
        """How pictures with this mean, (H, W, 3) on the host, enter the network."""
        return seen(mean, self.scale, self.crop, device)

    def looks(self, data: Dataset, epoch: int) -> Look:
        """How training looks at the pictures of a data set in an epoch."""
        height, width, _ = data.mean.shape

        def views(step: int, count: int) -> Views:
            rng = generator("augmentation", self.seed, epoch, step)
            tops = lefts = np.zeros(count, np.int64)
            mirrored, shifts, tone = np.zeros(count, bool), None, 1.0
            if self.crop:
                room = height - self.crop + 1, width - self.crop + 1
                tops, lefts = drawn_places(rng, count, *room, self.share)
            if self.flip:
                mirrored = drawn_mirrors(rng, count, self.share)
            if self.colour and not 0 < self.colour_epochs <= epoch:
                shifts = drawn_shifts(rng, count, self.colour, data.colours)
                tone = 1 / (1 + self.colour) if self.colour_tone else 1.0
            return Views(tops, lefts, mirrored, shifts, tone)

        return Look(self.crop, views)

    def optimiser(self) -> optim.SGD:
        """The gradient descent that the recipe asks for."""
        kind = ScaledSGD if self.precision == "float16" else optim.SGD
        return kind(self.momentum, self.decay, self.rates, self.decays)

    def learning_rate(self) -> optim.Schedule:
        """The learning rate over time that the recipe asks for."""
        return optim.warmed(self._schedule(), self.warmup)

    def _schedule(self) -> optim.Schedule:
        match self.schedule:
            case "constant":
                return optim.constant(self.rate)
            case "steps":
                return optim.steps(self.rate, self.drop_at, self.drop_factor)
            case "plateau":
                return optim.plateau(self.rate, self.patience, self.drop_factor, self.drops)
            case "linear":
                return optim.linear(self.rate, self.epochs, self.final)
            case "cosine":
                return optim.cosine(self.rate, self.epochs, self.final)
            case "dexp":
                return optim.dexp(self.rate, self.epochs, self.final, self.levels)


def as_json(recipe: Recipe) -> str:
    """The recipe as a file to read and to keep."""
    return json.dumps(dataclasses.asdict(recipe), indent=2) + "\n"


def from_dict(values: dict, source) -> Recipe:
    """The recipe that `as_json` wrote.

    Raises
    ------
    InputError
        If the values are not a recipe's.
    """
    try:
        return Recipe(**{name: _same_kind(name, value) for name, value in values.items()})
    except (TypeError, AttributeError) as error:
        raise InputError(f"{source}: not a recipe of this version ({error})") from error


def _same_kind(name: str, value):
    if not isinstance(getattr(Recipe(), name), tuple):
        return value
    # Until version 0.1 a scale was one number.
    return (value,) if isinstance(value, float) else tuple(value)
