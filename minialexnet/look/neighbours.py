"""Pictures, and those that a network finds most alike, as in the paper's figure 4."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import INK, readable


@readable
def neighbours(queries: np.ndarray, found: np.ndarray) -> Figure:
    """A row for each test picture: itself, and behind a line the training pictures most like it.

    Parameters
    ----------
    queries : (Q, H, W, 3) uint8
    found : (Q, K, H, W, 3) uint8, the nearest first
    """
    rows, columns = found.shape[:2]
    figure = Figure(figsize=(0.85 * (columns + 1.4), 0.85 * rows + 0.3), layout="constrained")
    ratios = [1, 0.25, *[1] * columns]
    panels = figure.subplots(rows, columns + 2, squeeze=False, width_ratios=ratios)
    for axes in panels.flat:
        axes.set_axis_off()
    for row, (query, some) in enumerate(zip(queries, found, strict=True)):
        panels[row, 0].imshow(query, interpolation="nearest")
        panels[row, 1].axvline(0.5, color=INK, linewidth=1)
        for axes, one in zip(panels[row, 2:], some, strict=True):
            axes.imshow(one, interpolation="nearest")
    panels[0, 0].set_title("test", fontsize=10)
    title = panels[0, 2].set_title("training: nearest, next ...", fontsize=10, loc="left")
    title.set_in_layout(False)  # it reaches over several pictures
    return figure
