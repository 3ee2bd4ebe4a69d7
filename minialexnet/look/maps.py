"""Feature maps: what each filter of a layer answers to a picture."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import readable


@readable
def feature_maps(maps: np.ndarray, columns: int = 8, side: float = 0.95) -> Figure:
    """Every map of one picture, each from its own smallest to its own largest value.

    Parameters
    ----------
    maps : (H, W, C), a layer's output for one picture
    columns : how many stand in a row
    side : of each, inches
    """
    count = maps.shape[2]
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(side * columns, side * rows), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, one in zip(figure.axes, np.moveaxis(maps, 2, 0), strict=False):
        axes.imshow(one, cmap="viridis", interpolation="nearest")
    return figure
