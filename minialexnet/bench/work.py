"""What is measured, and what it costs by definition."""

from dataclasses import dataclass

import numpy as np

from minialexnet import networks
from minialexnet.chance import generator
from minialexnet.data import Split
from minialexnet.engine import ENGINES
from minialexnet.errors import InputError
from minialexnet.layers import Network

TASKS = ("train", "predict")


@dataclass(frozen=True)
class Work:
    """What is measured.

    Raises
    ------
    InputError
        If a value makes no sense; the message names it.
    """

    network: str = "alexnet"
    batch: int = 128
    task: str = "train"
    device: str = "cpu"
    engine: str = "winograd"
    threads: int = 1

    def __post_init__(self):
        networks.demand_known(self.network)
        for name, known in (("task", TASKS), ("engine", ENGINES)):
            if getattr(self, name) not in known:
                raise InputError(
                    f"--{name} should be one of {', '.join(known)}, got {getattr(self, name)}"
                )
        for name in ("batch", "threads"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name} should be 1 or more, got {getattr(self, name)}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C) of a picture."""
        return networks.SIZES[self.network], networks.SIZES[self.network], 3

    @property
    def classes(self) -> int:
        """As many as the pictures that the network was made for have."""
        return networks.CLASSES[self.network]

    def net(self) -> Network:
        """The network with its initial weights, on the host."""
        return getattr(networks, self.network)(generator("weights", 0), self.classes)

    def pictures(self) -> Split:
        """Random pictures for a few batches: zeros would be quicker than real ones."""
        rng, count = np.random.default_rng(0), 4 * self.batch
        images = rng.integers(0, 256, (count, *self.shape), np.uint8)
        return Split(images, rng.integers(0, self.classes, count))

    def some(self, pictures: Split, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A batch of these pictures, and their labels."""
        chosen = rng.permutation(len(pictures.labels))[: self.batch]
        return pictures.images[chosen], pictures.labels[chosen]
