"""What a network believes of pictures."""

import re

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import readable

# Letters of a class's name that fit under a picture.
LONGEST = 24


def short(name: str) -> str:
    """A class's name where there is little room: of ImageNet's, the first words without the ID."""
    words = re.sub(r"^n\d{8} ", "", name).partition(",")[0]
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"


@readable
def predictions(
    images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, classes
) -> Figure:
    """Pictures with the five classes found most probable, as in the paper's figure 4.

    Parameters
    ----------
    images : (N, H, W, 3) uint8
    labels : (N,) the right classes: their bars are orange
    probabilities : (N, M) shares of 1
    classes : M names
    """
    columns = 4
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(2.3 * columns, 3.2 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[2, 1.2] * rows)
    for one in axes.flat:
        one.set_axis_off()
    for n, image in enumerate(images):
        row, column = divmod(n, columns)
        above, below = axes[2 * row, column], axes[2 * row + 1, column]
        above.imshow(image, interpolation="nearest")
        above.set_title(short(classes[labels[n]]), fontsize=10, parse_math=False)
        best = np.argsort(-probabilities[n], kind="stable")[:5]
        for place, m in enumerate(best):
            color = "tab:orange" if m == labels[n] else "tab:blue"
            below.barh(-place - 0.32, probabilities[n, m], height=0.26, color=color)
            below.text(0, -place, short(classes[m]), va="center", fontsize=8, parse_math=False)
        below.set(xlim=(0, 1), ylim=(-4.7, 0.6))
    return figure
