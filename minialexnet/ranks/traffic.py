"""What the two towers say to each other: where, and how many bytes."""

import math
from dataclasses import dataclass

from minialexnet.layers import Network
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


def gradient_bytes(net: Network) -> int:
    """What data parallel training adds up over the ranks in a step, however large the batch."""
    return FLOAT * sum(weight.size for weight in net.params.values())
