"""The filters of a first layer."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import readable


@readable
def filters(weight: np.ndarray) -> Figure:
    """The filters of the first layer as little colour pictures, as in the paper's figure 3.

    Parameters
    ----------
    weight : (K, K, 3, O)

    Notes
    -----
    Each filter is scaled by its own largest value; grey is 0.
    """
    count = weight.shape[3]
    columns = min(count, 16 if count > 32 else 8)
    rows = -(-count // columns)
    figure = Figure(figsize=(0.7 * columns, 0.7 * rows), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, one in zip(figure.axes, np.moveaxis(weight, 3, 0), strict=False):
        axes.imshow(0.5 + 0.5 * one / max(abs(one).max(), 1e-12), interpolation="nearest")
    return figure
