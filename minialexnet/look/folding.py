"""The rows of a matrix, added back to the picture whose windows they are (col2im)."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.grids import CELL, numbers, ring
from minialexnet.look.style import readable
from minialexnet.windows import add_windows


@readable
def folding(dwindows: np.ndarray, shape, stride: int = 1, step: int = -1) -> Figure:
    """The matrix, and the picture after so many of its rows: `unrolling` the other way.

    Parameters
    ----------
    dwindows : (OH, OW, K, K), small whole numbers
    shape : (H, W) of the picture
    stride : S, pixels
    step : the window that is added last, in reading order; -1 for the last of all
    """
    rows, columns, kernel, _ = dwindows.shape
    matrix = dwindows.reshape(rows * columns, kernel * kernel).astype(float)
    step %= len(matrix)

    def added(count):
        some = np.zeros_like(matrix)
        some[:count] = matrix[:count]
        return add_windows(some.reshape(1, *dwindows.shape, 1), (1, *shape, 1), stride)[0, ..., 0]

    total = added(step + 1)
    every = np.concatenate([matrix.ravel(), added(len(matrix)).ravel(), [0]])
    scale = {"vmin": every.min(), "vmax": every.max()}
    tall = max(shape[0], len(matrix)) * CELL + 0.7
    wide = (shape[1] + matrix.shape[1] + 3) * CELL
    figure = Figure(figsize=(wide, tall), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[matrix.shape[1], shape[1]])
    numbers(left, matrix, scale)
    numbers(right, total, scale)
    i, j = divmod(step, columns)
    ring(left, 0, step, matrix.shape[1], 1)
    ring(right, j * stride, i * stride, kernel, kernel)
    left.set_title(f"dX: {len(matrix)} windows × {matrix.shape[1]} pixels", fontsize=10)
    right.set_title(f"dx after {step + 1} of {len(matrix)}", fontsize=10)
    return figure
