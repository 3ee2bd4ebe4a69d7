"""What is measured, and what it costs by definition."""

from dataclasses import dataclass

import numpy as np

from minialexnet import networks
from minialexnet.backend import Device
from minialexnet.chance import generator
from minialexnet.data import Split
from minialexnet.engine import ENGINES
from minialexnet.errors import InputError
from minialexnet.layers import Network
from minialexnet.optim import SGD
from minialexnet.precision import PRECISIONS, prepare
from minialexnet.run import for_device
from minialexnet.scaling import ScaledSGD, scaling_of

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
    precision: str = "float32"

    def __post_init__(self):
        networks.demand_known(self.network)
        for name, known in (("task", TASKS), ("engine", ENGINES), ("precision", PRECISIONS)):
            if getattr(self, name) not in known:
                raise InputError(
                    f"--{name} should be one of {', '.join(known)}, got {getattr(self, name)}"
                )
        if self.precision == "tf32" and self.device == "cpu":
            raise InputError("--precision tf32 is how a GPU multiplies: it needs --device cuda")
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

    def running(self, device: Device):
        """The network as it runs best on the device, in the precision, and what trains it."""
        plain = self.net()
        plain.params = {name: device.put(weight) for name, weight in plain.params.items()}
        prepare(self.precision, device)
        sgd = ScaledSGD() if self.precision == "float16" else SGD()
        scaling = scaling_of(sgd)
        if scaling is not None:
            scaling.begin(device, 0, 0, 0)
        how = self.engine, self.shape, self.threads, self.precision, scaling
        return for_device(plain, device, *how), sgd

    def pictures(self) -> Split:
        """Random pictures for a few batches: zeros would be quicker than real ones."""
        rng, count = np.random.default_rng(0), 4 * self.batch
        images = rng.integers(0, 256, (count, *self.shape), np.uint8)
        return Split(images, rng.integers(0, self.classes, count))

    def chosen(self, rng: np.random.Generator) -> np.ndarray:
        """Which of these pictures are in a batch."""
        return rng.permutation(4 * self.batch)[: self.batch]
