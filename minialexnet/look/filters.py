"""The filters of a first layer."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import readable


@readable
def filters(weight: np.ndarray, names=None) -> Figure:
    """The filters of the first layer as little colour pictures, as in the paper's figure 3.

    Parameters
    ----------
    weight : (K, K, 3, O)
    names : O words to stand above them, or None

    Notes
    -----
    Each filter is scaled by its own largest value; grey is 0.
    """
    count = weight.shape[3]
    columns = min(count, 16 if count > 32 else 8 if names is None else 5)
    rows = -(-count // columns)
    side, tall = (0.7, 0.7) if names is None else (1.1, 1.35)
    figure = Figure(figsize=(side * columns, tall * rows), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, one in zip(figure.axes, np.moveaxis(weight, 3, 0), strict=False):
        axes.imshow(0.5 + 0.5 * one / max(abs(one).max(), 1e-12), interpolation="nearest")
    for axes, name in zip(figure.axes, names if names is not None else (), strict=False):
        axes.set_title(name, fontsize=9)
    return figure
