"""Which classes a network takes for which."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.predictions import short
from minialexnet.look.style import INK, readable


@readable
def confusion(counts: np.ndarray, classes) -> Figure:
    """A row for each class, and in it what its pictures were taken for.

    Parameters
    ----------
    counts : (M, M), see `inside.confused`; every row stands as shares of its pictures
    classes : M names
    """
    counts = np.asarray(counts)
    pictures = counts.sum(axis=1, keepdims=True)
    shares = 100 * counts / np.maximum(pictures, 1)
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, shares)
    side = 0.31 * len(counts)
    figure = Figure(figsize=(side + 1.5, side + 1.2), layout="constrained")
    axes = figure.subplots()
    # The errors have all the colours: beside the diagonal they would be equally dark.
    axes.imshow(wrong, cmap="viridis", vmin=0, vmax=max(wrong.max(), 1))
    for (i, j), share in np.ndenumerate(shares):
        if round(share):
            bright = wrong[i, j] > 0.6 * max(wrong.max(), 1)
            color = "black" if bright else "white"
            axes.text(j, i, f"{share:.0f}", ha="center", va="center", color=color, size=7)
    names = [short(name) for name in classes]
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("taken for", color=INK)
    axes.set_ylabel("is", color=INK)
    axes.tick_params(length=0, labelsize=8)
    axes.spines[:].set_visible(False)
    return figure
