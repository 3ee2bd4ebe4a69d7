"""Where in a picture a network looks."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.predictions import short
from minialexnet.look.style import INK, readable


@readable
def attention(images: np.ndarray, names, saliency: np.ndarray, occlusion) -> Figure:
    """A column for each picture: itself, its saliency map, and what covering each place does.

    Parameters
    ----------
    images : (N, H, W, 3) uint8
    names : the classes asked about
    saliency : (N, H, W), see `inside.saliency`; each from 0 to its own largest
    occlusion : N arrays (rows, columns), shares of 1, see `inside.occlusion`
    """
    count = len(images)
    figure = Figure(figsize=(1.45 * count + 1.2, 4.6), layout="constrained")
    panels = figure.subplots(3, count, squeeze=False)
    for n in range(count):
        panels[0, n].imshow(images[n], interpolation="nearest")
        panels[0, n].set_title(short(names[n]), fontsize=10, parse_math=False)
        panels[1, n].imshow(saliency[n], cmap="magma", vmin=0)
        shown = panels[2, n].imshow(occlusion[n], cmap="viridis", vmin=0, vmax=1)
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    for axes, words in zip(panels[:, 0], ("picture", "saliency", "covered here"), strict=True):
        axes.set_ylabel(words, color=INK)
    figure.colorbar(shown, ax=panels[2], label="probability", fraction=0.05)
    return figure
