"""Networks as tables of layers."""

from minialexnet.networks.alexnet import alexnet
from minialexnet.networks.cifar import cifar_80sec
from minialexnet.networks.mini import mini
from minialexnet.networks.one_tower import one_tower

__all__ = ["alexnet", "cifar_80sec", "mini", "one_tower"]

# Rows and columns of the pictures that each was made for.
SIZES = {"alexnet": 227, "cifar_80sec": 32, "mini": 32, "one_tower": 224}
