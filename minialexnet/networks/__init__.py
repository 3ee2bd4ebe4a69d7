"""Networks as tables of layers."""

from minialexnet.errors import InputError
from minialexnet.networks.alexnet import alexnet
from minialexnet.networks.alexnet_as_run import alexnet_as_run
from minialexnet.networks.alexnet_half import alexnet_half
from minialexnet.networks.alexnet_no_norm import alexnet_no_norm
from minialexnet.networks.alexnet_no_towers import alexnet_no_towers
from minialexnet.networks.alexnet_pool2 import alexnet_pool2
from minialexnet.networks.caffe_alexnet import caffe_alexnet
from minialexnet.networks.caffenet import caffenet
from minialexnet.networks.cifar import cifar_18pct, cifar_19pct, cifar_80sec
from minialexnet.networks.cifar_local import cifar_11pct, cifar_13pct
from minialexnet.networks.four_layers import four_layers
from minialexnet.networks.mini import mini
from minialexnet.networks.one_tower import one_tower
from minialexnet.networks.one_tower_norm import one_tower_norm

__all__ = [
    "alexnet",
    "alexnet_as_run",
    "alexnet_half",
    "alexnet_no_norm",
    "alexnet_no_towers",
    "alexnet_pool2",
    "caffe_alexnet",
    "caffenet",
    "cifar_11pct",
    "cifar_13pct",
    "cifar_18pct",
    "cifar_19pct",
    "cifar_80sec",
    "four_layers",
    "mini",
    "one_tower",
    "one_tower_norm",
]

# Rows and columns of the pictures that each was made for.
SIZES = {
    "alexnet": 227,
    "alexnet_as_run": 224,
    "alexnet_half": 224,
    "alexnet_no_norm": 224,
    "alexnet_no_towers": 227,
    "alexnet_pool2": 224,
    "caffe_alexnet": 227,
    "caffenet": 227,
    "cifar_11pct": 24,
    "cifar_13pct": 24,
    "cifar_18pct": 32,
    "cifar_19pct": 32,
    "cifar_80sec": 32,
    "four_layers": 32,
    "mini": 32,
    "one_tower": 224,
    "one_tower_norm": 224,
}

# What they were made to tell apart: CIFAR-10's (or the built-in pictures') classes, or ImageNet's.
CLASSES = {name: 10 if size <= 32 else 1000 for name, size in SIZES.items()}


def demand_known(name: str) -> None:
    """Raise InputError unless there is a network of that name."""
    if name not in __all__:
        raise InputError(f'unknown network "{name}": expected one of {", ".join(__all__)}')
