"""Ways down a valley, seen from above."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import COLOURS, FAINT, INK, readable


@readable
def descent(height: Callable, paths: dict[str, np.ndarray], reach: float = 1.0) -> Figure:
    """Lines of equal height, and on them the steps of one or more descents, a panel each.

    Parameters
    ----------
    height : of two arrays, the height at these places
    paths : {what to call it: (steps, 2)}, the places in the order in which they were reached
    reach : how far both axes go from 0, which is where the valley is deepest
    """
    across = np.linspace(-reach, reach, 121)
    surface = height(*np.meshgrid(across, across))
    figure = Figure(figsize=(2.7 * len(paths), 2.9), layout="constrained")
    panels = figure.subplots(1, len(paths), squeeze=False, sharey=True)[0]
    # Heights that grow as squares do stand equally far apart.
    levels = surface.min() + np.ptp(surface) * np.linspace(0, 1, 13)[1:-1] ** 2
    for n, (axes, (name, path)) in enumerate(zip(panels, paths.items(), strict=True)):
        axes.contour(across, across, surface, levels=levels, colors=FAINT[:7], linewidths=0.6)
        axes.plot(*np.asarray(path).T, ".-", color=COLOURS[n % len(COLOURS)], lw=1, ms=4)
        axes.plot(0, 0, "+", color=INK, ms=9)
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="$w_1$")
        axes.set_title(name, fontsize=10)
    panels[0].set_ylabel("$w_2$")
    return figure
