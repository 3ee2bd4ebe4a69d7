"""A window that slides over a picture, and the matrix that grows with it (im2col)."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minialexnet.look.style import FAINT, INK, ORANGE, readable
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
    tall = max(height, len(matrix)) * 0.36 + 0.7
    wide = (width + matrix.shape[1] + 3) * 0.36
    figure = Figure(figsize=(wide, tall), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[width, matrix.shape[1]])
    scale = {"vmin": np.min(x), "vmax": np.max(x)}
    _numbers(left, framed[0, ..., 0].astype(float), scale, frame=pad)
    _numbers(right, matrix, scale)
    i, j = divmod(step, columns)
    _ring(left, j * stride, i * stride, kernel, kernel)
    _ring(right, 0, step, matrix.shape[1], 1)
    frame = f", frame of {pad}" if pad else ""
    left.set_title(f"x: {x.shape[0]} × {x.shape[1]}{frame}; window ({i}, {j})", fontsize=10)
    right.set_title(f"X: {len(matrix)} windows × {matrix.shape[1]} pixels", fontsize=10)
    return figure


def _numbers(axes, values: np.ndarray, scale: dict, frame: int = 0) -> None:
    """A grid of numbers, each on its colour; what is not there yet is an empty cell."""
    colours = matplotlib.colormaps["viridis"]
    span = max(scale["vmax"] - scale["vmin"], 1)
    height, width = values.shape
    for (i, j), value in np.ndenumerate(values):
        padding = frame and not (frame <= i < height - frame and frame <= j < width - frame)
        known = np.isfinite(value)
        colour = colours((value - scale["vmin"]) / span) if known and not padding else "none"
        axes.add_patch(Rectangle((j, i), 1, 1, facecolor=colour, edgecolor=FAINT, linewidth=0.8))
        if known:
            bright = not padding and (value - scale["vmin"]) / span > 0.6
            ink = INK if padding else "black" if bright else "white"
            axes.text(j + 0.5, i + 0.5, f"{value:g}", ha="center", va="center", color=ink, size=8)
    axes.set(xlim=(-0.15, width + 0.15), ylim=(height + 0.15, -0.15), aspect="equal")
    axes.set_anchor("N")
    axes.set_axis_off()


def _ring(axes, left: float, top: float, width: float, height: float) -> None:
    ring = Rectangle((left, top), width, height, fill=False, edgecolor=ORANGE, linewidth=3)
    axes.add_patch(ring)
