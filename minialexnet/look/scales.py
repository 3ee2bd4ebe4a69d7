"""How large activations and gradients are, layer by layer."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import COLOURS, readable


@readable
def scales(by_name: dict[str, dict[str, float]], ylabel: str = "standard deviation") -> Figure:
    """A line for each of several networks, over their layers, on a logarithmic axis.

    Parameters
    ----------
    by_name : {what to call it: {layer: a number above 0}}
    """
    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    for name, numbers in by_name.items():
        axes.semilogy(list(numbers), list(numbers.values()), "o-", label=name, markersize=4)
    axes.set(ylabel=ylabel)
    axes.tick_params(axis="x", rotation=45)
    axes.grid(axis="y")
    # Above the lines, wherever these go.
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(3, len(by_name)))
    return figure


@readable
def histograms(by_layer: dict[str, np.ndarray], bins: int = 41) -> Figure:
    """How the numbers of each layer are spread, all on one axis.

    Parameters
    ----------
    by_layer : {layer: its numbers, an array of any shape}
    """
    figure = Figure(figsize=(1.7 * len(by_layer) + 0.4, 2.0), layout="constrained")
    panels = figure.subplots(1, len(by_layer), squeeze=False, sharex=True)[0]
    for n, (axes, (name, numbers)) in enumerate(zip(panels, by_layer.items(), strict=True)):
        axes.hist(np.ravel(numbers), bins, color=COLOURS[0], density=True)
        axes.set_title(name, fontsize=10)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("value" if n == len(by_layer) // 2 else "")
    return figure
