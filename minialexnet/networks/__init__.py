"""Networks as tables of layers."""

from minialexnet.networks.alexnet import alexnet
from minialexnet.networks.cifar import cifar_80sec
from minialexnet.networks.mini import mini

__all__ = ["alexnet", "cifar_80sec", "mini"]
