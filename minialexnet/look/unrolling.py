"""A window that slides over a picture, and the matrix that grows with it (im2col)."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.grids import CELL, numbers, ring
from minialexnet.look.style import readable
from minialexnet.windows import padded, windows


@readable
def unrolling(x: np.ndarray, kernel: int, stride: int = 1, pad: int = 0, step: int = -1) -> Figure:
    """The windows of a picture up to one of them, and the rows of the matrix that they become.

    Parameters
    ----------
    x : (H, W), small whole numbers; equal numbers have equal colours
    kernel, stride, pad : K, S and P, pixels
    step : which window is drawn, in reading order; -1 for the last
    """
    framed = padded(x[None, :, :, None], ((pad, pad), (pad, pad)))
    view = windows(framed, kernel, stride)[0, ..., 0]
    rows, columns = view.shape[:2]
    matrix = view.reshape(rows * columns, kernel * kernel).astype(float)
    step %= len(matrix)
    matrix[step + 1 :] = np.nan
    height, width = framed.shape[1:3]
    tall = max(height, len(matrix)) * CELL + 0.7
    wide = (width + matrix.shape[1] + 3) * CELL
    figure = Figure(figsize=(wide, tall), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[width, matrix.shape[1]])
    scale = {"vmin": np.min(x), "vmax": np.max(x)}
    numbers(left, framed[0, ..., 0].astype(float), scale, frame=pad)
    numbers(right, matrix, scale)
    i, j = divmod(step, columns)
    ring(left, j * stride, i * stride, kernel, kernel)
    ring(right, 0, step, matrix.shape[1], 1)
    frame = f", frame of {pad}" if pad else ""
    left.set_title(f"x: {x.shape[0]} × {x.shape[1]}{frame}; window ({i}, {j})", fontsize=10)
    right.set_title(f"X: {len(matrix)} windows × {matrix.shape[1]} pixels", fontsize=10)
    return figure
