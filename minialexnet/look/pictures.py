"""Pictures side by side, and a small one with all its numbers."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import INK, readable


@readable
def pictures(images, names=None, columns: int = 8, side: float = 0.95) -> Figure:
    """Pictures in rows, a name above each.

    Parameters
    ----------
    images : N pictures, (H, W, 3) each, uint8 or shares of 1; their sizes may differ
    names : N words, or None
    columns : how many stand in a row
    side : of each, inches
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    tall = side + (0.25 if names is not None else 0)
    figure = Figure(figsize=(side * columns, tall * rows), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
    for n, image in enumerate(images):
        figure.axes[n].imshow(image, interpolation="nearest")
        if names is not None:
            figure.axes[n].set_title(names[n], fontsize=9)
    return figure


@readable
def channels(image: np.ndarray) -> Figure:
    """A small picture, and beside it its red, its green and its blue with every number written.

    Parameters
    ----------
    image : (H, W, 3) uint8, up to about 8 x 8
    """
    height, width, _ = image.shape
    size = (4 * (0.27 * width + 0.25), 0.27 * height + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, 4)
    panels[0].imshow(image, interpolation="nearest")
    panels[0].set_title("the picture", fontsize=10)
    for c, name in enumerate(("red", "green", "blue")):
        alone = np.zeros_like(image)
        alone[..., c] = image[..., c]
        panels[c + 1].imshow(alone, interpolation="nearest")
        panels[c + 1].set_title(f"channel {c}, {name}", fontsize=10)
        for (i, j), number in np.ndenumerate(image[..., c]):
            # Of one number, green looks by far the brightest.
            color = "black" if c == 1 and number > 150 else "white"
            panels[c + 1].text(j, i, number, ha="center", va="center", size=6.5, color=color)
    for axes in panels:
        axes.set_xticks(range(width))
        axes.set_yticks(range(height))
        axes.tick_params(length=0, labelsize=7, colors=INK)
        axes.spines[:].set_visible(False)
    return figure
