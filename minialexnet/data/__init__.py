"""Where pictures come from, and what happens to them before a network sees them."""

from pathlib import Path

from minialexnet.data.batches import batches, steps_per_epoch
from minialexnet.data.input import Input
from minialexnet.data.prepared import Dataset, Split, prepared
from minialexnet.errors import InputError

__all__ = ["NAMES", "Dataset", "Input", "Split", "batches", "load", "prepared", "steps_per_epoch"]

NAMES = ("shapes", "cifar10")


def load(name: str) -> Dataset:
    """The data set of that name: "shapes", "cifar10", or a prepared folder.

    Raises
    ------
    InputError
        If there is no such data set, or it is broken.
    """
    if name == "shapes":
        from minialexnet.data.shapes import shapes

        return shapes()
    if name == "cifar10":
        from minialexnet.data.cifar10 import cifar10_folder

        folder = cifar10_folder()
        if not folder.exists():
            raise InputError(
                "CIFAR-10 is not prepared yet: `minialexnet prepare cifar10` downloads it, "
                "`minialexnet prepare cifar10 ARCHIVE` takes an archive that you have"
            )
        return prepared(folder)
    if not Path(name).is_dir():
        raise InputError(
            f'unknown data "{name}": expected shapes, cifar10, or a folder that '
            "`minialexnet prepare` made"
        )
    return prepared(name)
