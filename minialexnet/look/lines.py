"""Functions, drawn over one axis."""

from matplotlib.figure import Figure

from minialexnet.look.style import readable


@readable
def lines(x, by_name: dict, xlabel: str = "x", ylabel: str = "y") -> Figure:
    """A line for each function.

    Parameters
    ----------
    x : (D,)
    by_name : {what to call it: (D,)}
    """
    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = figure.subplots()
    for name, y in by_name.items():
        axes.plot(x, y, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.25)
    axes.legend()
    return figure
