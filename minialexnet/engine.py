"""How a network is run: the same layers, called so that caches, cores and memory are used well.

Nothing here depends on the machine or on the number of threads, so neither do results.
"""

import sys

import numpy as np

from minialexnet.layers import (
    AveragePool,
    Conv2D,
    Flatten,
    InParts,
    LocallyConnected2D,
    MaxPool,
    Network,
    Parallel,
    Sliced,
    Stages,
    Winograd,
)
from minialexnet.layers.winograd import TILE

# What the largest feature maps of a slice should fit into: a core's own cache (L2) of today.
CACHE = 2**20
# Fewer rows make a matrix product of Winograd's wait for the filters to come from memory.
ROWS = 128
# More images gain nothing, and leave too few slices for the threads to share out.
IMAGES = 16
# Weights from which on a matrix product is worth waking a second thread for: that takes a while.
BIG = 2**20
# Multiplications that Winograd must save for each number that it transforms; measured with
# `minialexnet bench --layers` on `mini` (which loses below) and `cifar_80sec` (which wins above).
WORTH = 75

# MB that a convolution may unroll at a time on a GPU. 128 images in the paper's network need 1,200
# (conv2 backward), and go through in one piece.
WORKSPACE = 2000

# Every layer as it is written; the batch in slices; and convolutions by `Winograd` where that pays.
ENGINES = ("plain", "sliced", "winograd")


def for_cpu(network: Network, engine: str, shape, threads: int = 1) -> Network:
    """The same network, to be run on a CPU. It shares its layers' parameters and their names.

    What comes before `Flatten` is cut into stages behind the pooling layers, where pictures become
    smaller, and each stage is sliced by itself. The fully connected layers stay whole: their
    weights are many and want a big batch.

    Parameters
    ----------
    engine : one of ENGINES; "plain" gives the network itself
    shape : (H, W, C) of a picture
    threads : how many slices are worked on at a time
    """
    if engine == "plain":
        return network
    layers = dict(network.layers)
    if engine == "winograd":
        layers = {name: _quick(layer) for name, layer in layers.items()}
    maps = network.shapes(shape)
    stages = {}
    for names in _stages(layers):
        stage = Network({name: layers.pop(name) for name in names})
        if not _sliceable(stage):
            stages[names[0]] = stage
            continue
        count = _slice(stage, [maps[name] for name in names])
        stages[f"{names[0]} to {names[-1]}"] = Sliced(stage, count, threads)
    if layers:
        stages["head"] = _head(Network(layers))
    return Stages(stages)


def for_gpu(network: Network, workspace: int = WORKSPACE) -> Network:
    """The same network, to be run on a GPU. It shares its layers' parameters and their names.

    Nothing is cut but convolutions that would unroll more than the workspace holds.

    Parameters
    ----------
    workspace : MB of 10^6 bytes that a convolution may unroll at a time
    """
    return Network({name: _limited(layer, workspace) for name, layer in network.layers.items()})


def _limited(layer, workspace: int):
    if isinstance(layer, Parallel):
        inner = {name: _limited(one, workspace) for name, one in layer.layers.items()}
        return type(layer)(inner)
    if isinstance(layer, Conv2D | LocallyConnected2D):
        return InParts(layer, workspace * 10**6)
    return layer


def _head(head: Network):
    """The fully connected layers, their matrix products on several threads if they are big."""
    big = sum(weight.size for weight in head.params.values()) >= BIG
    # One slice, however many images there are, is a product on one thread.
    return head if big else Sliced(head, sys.maxsize)


def _quick(layer):
    """The layer itself, or the way to work it out with fewer multiplications."""
    if type(layer) is Parallel:
        return Parallel({name: _quick(inner) for name, inner in layer.layers.items()})
    pays = type(layer) is Conv2D and layer.stride == 1 and _saved(layer) >= WORTH
    return Winograd(layer) if pays else layer


def _towers(layer) -> list:
    """The layers side by side in a `Parallel`, or the layer alone."""
    return list(layer.layers.values()) if isinstance(layer, Parallel) else [layer]


def _saved(conv: Conv2D) -> float:
    """Multiplications saved for each number transformed, input or output."""
    if conv.kernel not in Winograd.KERNELS:
        return 0.0
    values = (TILE + conv.kernel - 1) ** 2
    products = (TILE * conv.kernel) ** 2 - values
    transforms = values * (conv.channels + conv.filters)
    return products * conv.channels * conv.filters / transforms


def _sliceable(stage: Network) -> bool:
    return all(layer.sliceable for layer in stage.layers.values())


def _stages(layers: dict) -> list[list[str]]:
    """The names of the layers before `Flatten` (all if there is none), cut behind each pooling.

    A layer that talks to other processes is a stage by itself.
    """
    stages, names = [], []
    for name, layer in layers.items():
        if isinstance(layer, Flatten):
            break
        if not layer.sliceable:
            stages += [names, [name]] if names else [[name]]
            names = []
            continue
        names.append(name)
        if isinstance(layer, MaxPool | AveragePool):
            stages.append(names)
            names = []
    return [*stages, names] if names else stages


def _slice(stage: Network, maps) -> int:
    """How many images a slice of this stage has."""
    fits = CACHE // max(4 * int(np.prod(shape)) for shape in maps)
    tiles = [
        -(-height // TILE) * -(-width // TILE)
        for layer, (height, width, _) in zip(stage.layers.values(), maps, strict=True)
        if any(isinstance(one, Winograd) for one in _towers(layer))
    ]
    enough = -(-ROWS // min(tiles)) if tiles else 1
    return min(max(fits, enough), IMAGES)
