"""The results of an experiment, with how far they spread over its seeds."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.look.style import COLOURS, readable

MEASURED = {
    "test_error": ("test error", 100, "%"),
    "train_error": ("training error", 100, "%"),
    "steps": ("steps", 1, ""),
    "cpu_seconds": ("seconds", 1, "s"),
}


def spread(rows, column: str) -> dict[str, tuple[float, float, int]]:
    """Mean, standard deviation over the seeds (0 of one), and how many there are, by setting.

    Parameters
    ----------
    rows : of a table of results, `minialexnet.experiments.results.rows`
    column : of numbers
    """
    found: dict[str, list] = {}
    for row in rows:
        found.setdefault(row["setting"], []).append(row[column])
    return {
        setting: (float(np.mean(x)), float(np.std(x, ddof=1)) if len(x) > 1 else 0.0, len(x))
        for setting, x in found.items()
    }


@readable
def experiment(rows, columns=("test_error",), xlabel: str = "") -> Figure:
    """A point for every training; mean and standard deviation beside them.

    Parameters
    ----------
    rows : of a table of results; settings stand in the order in which they appear
    columns : what is shown, in colours of their own: test_error, train_error, steps, cpu_seconds
    xlabel : what the settings are
    """
    settings = list(dict.fromkeys(row["setting"] for row in rows))
    figure = Figure(figsize=(1.15 * len(settings) + 2.2, 3.2), layout="constrained")
    axes = figure.subplots()
    for n, column in enumerate(columns):
        name, factor, unit = MEASURED[column]
        colour, shift = COLOURS[n % len(COLOURS)], 0.16 * (n - (len(columns) - 1) / 2)
        x = [settings.index(row["setting"]) + shift - 0.06 for row in rows]
        axes.plot(x, [factor * row[column] for row in rows], "o", color=colour, ms=4, alpha=0.5)
        for place, setting in enumerate(settings):
            mean, deviation, _ = spread(rows, column)[setting]
            axes.errorbar(
                place + shift + 0.06,
                factor * mean,
                factor * deviation,
                fmt="D",
                color=colour,
                capsize=4,
                ms=6,
                label=name if place == 0 else None,
            )
        axes.set_ylabel(f"{name if len(columns) == 1 else 'error'} ({unit})".replace(" ()", ""))
    axes.set_xticks(range(len(settings)), settings)
    axes.set(xlabel=xlabel, xlim=(-0.5, len(settings) - 0.5))
    axes.grid(axis="y")
    if len(columns) > 1:
        axes.legend()
    return figure
