"""Where pictures come from, and what happens to them before a network sees them."""

from pathlib import Path

from minialexnet.data.augment import Views, drawn_mirrors, drawn_places, drawn_shifts
from minialexnet.data.crops import CROPS, ten_crops
from minialexnet.data.feed import Feed, Look, steps_per_epoch
from minialexnet.data.input import Input, seen
from minialexnet.data.prepared import Dataset, Split, prepared
from minialexnet.data.share import Share, share_of
from minialexnet.errors import InputError

__all__ = [
    "CROPS",
    "NAMES",
    "Dataset",
    "Feed",
    "Input",
    "Look",
    "Share",
    "Split",
    "Views",
    "drawn_mirrors",
    "drawn_places",
    "drawn_shifts",
    "load",
    "prepared",
    "seen",
    "share_of",
    "steps_per_epoch",
    "ten_crops",
]

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
        if name == "imagenet":
            raise InputError(
                "ImageNet cannot be downloaded by a program: prepare your copy, `minialexnet "
                "prepare imagenet COPY OUT`, and give it as --data OUT"
            )
        raise InputError(
            f'unknown data "{name}": expected shapes, cifar10, or a folder that '
            "`minialexnet prepare` made"
        )
    return prepared(name)
