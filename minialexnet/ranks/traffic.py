"""What the two towers say to each other: where, and how many bytes."""

import math
from dataclasses import dataclass

from minialexnet.layers import Flatten, Network
from minialexnet.ranks.towers import Border, Gathered, Joined, Tower

FLOAT = 4  # bytes of a float32


@dataclass(frozen=True)
class Exchange:
    """One row of the table, for one picture.

    Parameters
    ----------
    layer : the layer that asks for maps of the other tower
    why : in words
    forward, backward : bytes that tower a sends; tower b sends as many where the halves are equal
    """

    layer: str
    why: str
    forward: int
    backward: int


def exchanges(net: Network, shape) -> list[Exchange]:
    """Each exchange in the order of the layers.

    Parameters
    ----------
    net : the whole network, on the host
    shape : (H, W, C) of a picture
    """
    shapes, before, rows = net.shapes(shape), shape, []
    for name, layer in Tower(net, None, 0).layers.items():
        if isinstance(layer, Gathered | Border):
            pixels, halves = FLOAT * math.prod(before[:-1]), layer.halves
        match layer:
            case Joined():
                rows.append(Exchange(halves.what, "scores of both", pixels * halves.maps[0], 0))
            case Gathered():
                a, b = halves.maps
                rows.append(Exchange(halves.what, "sees both towers", pixels * a, pixels * b))
            case Border():
                wide = [min(n, halves.maps[0]) * pixels for n in (2 * layer.reach, layer.reach)]
                rows.append(Exchange(halves.what, "maps beyond the border", *wide))
        before = shapes.get(name, before)
    return rows


def one_weird_trick(net: Network, shape, batch: int) -> int:
    """Bytes that each of two ranks sends in a step of Krizhevsky (2014), arXiv 1404.5997.

    Convolutions are data parallel: each rank has half of the batch, and their gradients are added
    up. Fully connected layers are model parallel: each rank has half of the units, and sees the
    whole batch. So the features before them cross for half of the batch, forward and backward, and
    above them all is as with two towers.
    """
    below, flat = 0, False
    for layer in net.layers.values():
        flat = flat or isinstance(layer, Flatten)
        below += 0 if flat else FLOAT * sum(weight.size for weight in layer.params.values())
    above = [row for row in exchanges(net, shape) if len(_input(net, shape, row.layer)) == 1]
    features = FLOAT * math.prod(_input(net, shape, "flatten"))
    crossing = 2 * (batch // 2) * features
    return below + crossing + batch * sum(row.forward + row.backward for row in above)


def _input(net: Network, shape, name: str) -> tuple[int, ...]:
    """The shape of what a layer is handed for one picture; of the scores for anything else."""
    shapes, before = net.shapes(shape), shape
    for layer in net.layers:
        if layer == name:
            break
        before = shapes[layer]
    return before


def gradient_bytes(net: Network) -> int:
    """What data parallel training adds up over the ranks in a step, however large the batch."""
    return FLOAT * sum(weight.size for weight in net.params.values())
