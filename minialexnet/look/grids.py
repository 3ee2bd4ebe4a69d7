"""Tables of small numbers, for what can be checked by hand."""

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minialexnet.look.style import FAINT, INK, ORANGE, readable

CELL = 0.36  # inches


@readable
def grids(tables: dict[str, np.ndarray], rings=None) -> Figure:
    """Tables of numbers side by side; equal numbers have equal colours.

    Parameters
    ----------
    tables : {title: (rows, columns)}; where a number is NaN, the cell is empty
    rings : {title: (top, left, height, width)}, a ring around some of the cells
    """
    tables = {title: np.asarray(table, float) for title, table in tables.items()}
    rings = rings or {}
    values = np.concatenate([table.ravel() for table in tables.values()])
    scale = {"vmin": np.nanmin(values), "vmax": np.nanmax(values)}
    # A title needs room too: a tenth of an inch a letter, or a little less.
    widths = [max(table.shape[1] + 1, 0.095 * len(title) / CELL) for title, table in tables.items()]
    tall = max(len(table) for table in tables.values())
    figure = Figure(figsize=(CELL * sum(widths), CELL * tall + 0.7), layout="constrained")
    panels = figure.subplots(1, len(tables), width_ratios=widths, squeeze=False)[0]
    for axes, wide, (title, table) in zip(panels, widths, tables.items(), strict=True):
        numbers(axes, table, scale)
        # Cells are equally large everywhere, however long the titles are.
        axes.set(xlim=(-0.15, wide - 0.15), ylim=(tall + 0.15, -0.15), anchor="NW")
        axes.set_title(title, fontsize=10, loc="left")
        if title in rings:
            top, left, height, width = rings[title]
            ring(axes, left, top, width, height)
    return figure


def numbers(axes, values: np.ndarray, scale: dict, frame: int = 0) -> None:
    """A grid of numbers, each on its colour; what is not there yet is an empty cell."""
    colours = matplotlib.colormaps["viridis"]
    span = (scale["vmax"] - scale["vmin"]) or 1
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


def ring(axes, left: float, top: float, width: float, height: float) -> None:
    """A ring around cells of a grid."""
    ring = Rectangle((left, top), width, height, fill=False, edgecolor=ORANGE, linewidth=3)
    axes.add_patch(ring)
