"""A network as the paper's figure 2 shows it: boxes in one row, or in two towers."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from minialexnet.layers import Network, Parallel
from minialexnet.look.style import BLUE, INK, ORANGE, readable


@readable
def towers(net: Network, shape) -> Figure:
    """Every layer with weights as a box, and who reads from whom.

    A convolution in towers reads from its own tower alone; every other layer reads from all.

    Parameters
    ----------
    net : whose towers, if any, are two
    shape : (H, W, C) of a picture
    """
    shapes = net.shapes(shape)
    layers = [(name, layer) for name, layer in net.layers.items() if layer.params]
    split = any(isinstance(layer, Parallel) for _, layer in layers)
    figure = Figure(figsize=(1.15 * (len(layers) + 1), 2.6 if split else 1.7), layout="constrained")
    axes = figure.subplots()
    before = [_box(axes, 0, 0, "picture", shape, INK, 1.0)]
    for place, (name, layer) in enumerate(layers, 1):
        *size, features = shapes[name]
        # The last layer's scores are added up in one place.
        two = split and place < len(layers)
        side = size[0] / shape[0] if size else 0.0
        rows = (0.75, -0.75) if two else (0.0,)
        part = (*size, features // len(rows))
        colours = (BLUE, ORANGE)
        boxes = [_box(axes, place, y, name, part, colours[n], side) for n, y in enumerate(rows)]
        apart = isinstance(layer, Parallel) and len(before) == 2
        for n, to in enumerate(boxes):
            for m, source in enumerate(before):
                if not apart or m == n:
                    _arrow(axes, source, to, colours[m] if len(before) == 2 else INK)
        before = boxes
    axes.set(xlim=(-0.6, len(layers) + 0.6), ylim=(-1.6, 1.6) if split else (-0.9, 0.9))
    axes.set_axis_off()
    return figure


def _box(axes, x: float, y: float, name: str, shape, colour: str, share: float):
    """A box as tall as the map's side, as a share of the picture's; where its edges are."""
    half, tall = 0.28, 0.18 + 0.32 * float(np.sqrt(share))
    box = FancyBboxPatch(
        (x - half, y - tall),
        2 * half,
        2 * tall,
        boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=colour + "33",
        edgecolor=colour,
    )
    axes.add_patch(box)
    words = f"{shape[0]} × {shape[1]}\n× {shape[2]}" if len(shape) == 3 else f"{shape[0]}"
    axes.text(x, y, words, ha="center", va="center", size=7.5)
    axes.text(x, y + tall + 0.06, name, ha="center", va="bottom", size=9, weight="bold")
    return (x - half, y), (x + half, y)


def _arrow(axes, source, to, colour: str) -> None:
    line = {"arrowstyle": "-|>", "color": colour, "lw": 1.1, "shrinkA": 1, "shrinkB": 1}
    axes.annotate("", to[0], source[1], arrowprops=line)
