"""Networks that come with the program, trained by it."""

from importlib.resources import files
from pathlib import Path

from minialexnet.errors import InputError

PRETRAINED = {
    "cifar10": "cifar_18pct on CIFAR-10, as `minialexnet train --recipe cifar_18pct` trains it",
}


def pretrained(name: str) -> Path:
    """The checkpoint of a network that comes with the program.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in PRETRAINED:
        raise InputError(f'no pretrained network "{name}": expected one of {", ".join(PRETRAINED)}')
    return Path(str(files(__name__) / f"{name}.npz"))
