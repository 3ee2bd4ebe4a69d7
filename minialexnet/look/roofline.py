"""What bounds a machine: its arithmetic or its memory."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import BLUE, COLOURS, INK, readable


@readable
def roofline(
    peak: float, bandwidth: float, by_name: dict[str, dict[str, float]], unit: str
) -> Figure:
    """The speed that each layer cannot exceed, over its arithmetic intensity.

    Parameters
    ----------
    peak : operations in a second, such as 10⁹ multiply-adds
    bandwidth : bytes in a second, in the same multiple
    by_name : {what to call it: {layer: operations a byte}}
    unit : of the peak
    """
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    found = [intensity for points in by_name.values() for intensity in points.values()]
    x = np.geomspace(min(found) / 2, 2 * max(*found, peak / bandwidth), 400)
    axes.loglog(x, np.minimum(peak, bandwidth * x), color=INK)
    for n, (name, points) in enumerate(by_name.items()):
        here = np.array(list(points.values()))
        bound = np.minimum(peak, bandwidth * here)
        colour = COLOURS[n % len(COLOURS)]
        axes.loglog(here, bound, "o", color=colour, label=name, markersize=5)
        above = colour == BLUE
        for layers, at in _together(points):
            axes.annotate(
                layers,
                (at, min(peak, bandwidth * at)),
                (-2, 7) if above else (2, -7),
                textcoords="offset points",
                size=8,
                color=colour,
                rotation=60,
                ha="left" if above else "right",
                va="bottom" if above else "top",
            )
    axes.set(xlabel="operations a byte", ylabel=f"at most, {unit}")
    axes.margins(y=0.4)
    axes.grid()
    axes.legend(loc="lower right")
    return figure


def _together(points: dict[str, float], near: float = 1.35) -> list[tuple[str, float]]:
    """The names of points that lie close, in one label, and where it belongs."""
    groups: list[tuple[str, float]] = []
    for name, at in sorted(points.items(), key=lambda point: point[1]):
        if groups and at < near * groups[-1][1]:
            groups[-1] = f"{groups[-1][0]}, {name}", groups[-1][1]
        else:
            groups.append((name, at))
    return groups
