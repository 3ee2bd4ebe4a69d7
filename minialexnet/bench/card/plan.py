"""What a report measures, and how large."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """The sizes of all measurements: these are the report's, tests have smaller ones.

    Parameters
    ----------
    networks, precisions, batches : a row of speeds for each combination
    rounds, steps : turns of each contender, and steps in a turn (0: about a second's worth)
    against : PyTorch too, where it finds a GPU
    layers_batch : images in the table of layers
    repeats : times that each layer is timed
    side, copied : of the matrices and the memory that limits are measured with; 0: large
    parity : networks of which every layer is compared with NumPy
    parity_batch : images in that
    training : the network that is trained here and by NumPy, and twice here
    training_batch, training_steps : images in a step, and steps
    pictures, picture_size : how many drawn pictures the whole loop reads, and their side, pixels
    loop_steps : steps of the loop that are timed
    warm : steps before those
    cifar10 : a prepared folder of CIFAR-10, or None
    epochs : of the training on it; 0: all that the recipe has
    tests : run all tests too
    threads : of a CPU
    """

    networks: tuple[str, ...] = ("alexnet", "one_tower")
    precisions: tuple[str, ...] = ("tf32", "float16")
    batches: tuple[int, ...] = (128, 256, 512, 1024)
    rounds: int = 5
    steps: int = 0
    against: bool = True
    layers_batch: int = 256
    repeats: int = 10
    side: int = 0
    copied: int = 0
    parity: tuple[str, ...] = ("alexnet", "one_tower", "cifar_18pct", "cifar_13pct")
    parity_batch: int = 4
    training: str = "alexnet"
    training_batch: int = 8
    training_steps: int = 50
    pictures: int = 16_384
    picture_size: int = 256
    loop_steps: int = 300
    warm: int = 50
    cifar10: Path | None = None
    epochs: int = 0
    tests: bool = True
    threads: int = 1
