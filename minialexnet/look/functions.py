"""Functions of one number, and their slopes."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import readable


@readable
def functions(x: np.ndarray, by_name: dict[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """The values of some functions on the left, their derivatives on the right.

    Parameters
    ----------
    x : (D,), from the smallest to the largest
    by_name : {what to call it: (values, derivatives)}, each (D,)
    """
    figure = Figure(figsize=(7.2, 2.8), layout="constrained")
    for n, (axes, title) in enumerate(
        zip(figure.subplots(1, 2), ("value", "derivative"), strict=True)
    ):
        for name, both in by_name.items():
            axes.plot(x, both[n], label=name)
        axes.set(title=title, xlabel="x")
        axes.grid()
    axes.legend()
    return figure
