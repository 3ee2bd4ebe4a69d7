"""The layers of AlexNet, one file each, forward beside backward."""

from minialexnet.layers.base import Layer
from minialexnet.layers.composite import Network, Parallel, Stages
from minialexnet.layers.conv import Conv2D
from minialexnet.layers.dropout import Dropout
from minialexnet.layers.flatten import Flatten
from minialexnet.layers.linear import Linear
from minialexnet.layers.local import LocallyConnected2D
from minialexnet.layers.norm import LocalResponseNorm, ResponseNorm
from minialexnet.layers.parts import InParts
from minialexnet.layers.pool import AveragePool, MaxPool
from minialexnet.layers.relu import ReLU
from minialexnet.layers.sigmoid import Sigmoid
from minialexnet.layers.sliced import Sliced
from minialexnet.layers.tanh import Tanh
from minialexnet.layers.winograd import Winograd

__all__ = [
    "AveragePool",
    "Conv2D",
    "Dropout",
    "Flatten",
    "InParts",
    "Layer",
    "Linear",
    "LocalResponseNorm",
    "LocallyConnected2D",
    "MaxPool",
    "Network",
    "Parallel",
    "ReLU",
    "ResponseNorm",
    "Sigmoid",
    "Sliced",
    "Stages",
    "Tanh",
    "Winograd",
]
