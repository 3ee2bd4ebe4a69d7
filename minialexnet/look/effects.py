"""What one change brings: the difference of two settings of an experiment, and how sure it is."""

import numpy as np
from matplotlib.figure import Figure

from minialexnet.errors import InputError
from minialexnet.look.style import BLUE, COLOURS, INK, readable

# Student's t for 1, 2, ... degrees of freedom: a mean lies in 19 of 20 cases no more than this many
# standard errors away.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def difference(rows, setting: str, other: str, column: str = "test_error") -> tuple[float, float]:
    """How much larger a column is with one setting than with another, from the same seeds.

    Two trainings of one seed share the order of their pictures and all other chance, so each seed
    gives one difference.

    Parameters
    ----------
    rows : of a table of results, `minialexnet.experiments.results.rows`
    setting, other : as the table calls them
    column : of numbers

    Returns
    -------
    mean : of the differences, in units of the column
    half : half the width of its 95 % interval, after Student (1908)

    Raises
    ------
    InputError
        If fewer than two seeds have both settings.
    """
    found = {(row["setting"], row["seed"]): row[column] for row in rows}
    seeds = sorted(seed for name, seed in found if name == setting and (other, seed) in found)
    if len(seeds) < 2:
        raise InputError(
            f'"{setting}" against "{other}": expected two seeds or more with both, got {len(seeds)}'
        )
    differences = np.array([found[setting, seed] - found[other, seed] for seed in seeds])
    t = STUDENT[min(len(seeds) - 1, len(STUDENT)) - 1]
    return float(differences.mean()), float(t * differences.std(ddof=1) / len(seeds) ** 0.5)


@readable
def effects(
    measured: dict[str, tuple[float, float]], cited: dict[str, dict[str, float]], xlabel: str
) -> Figure:
    """A line for each change: what was measured with its interval, and what others reported.

    Parameters
    ----------
    measured : {the change: (mean, half of the interval)}
    cited : {who: {the change: number}}; a change that somebody says nothing about is left out
    xlabel : what differs, and its unit
    """
    names = list(measured)
    figure = Figure(figsize=(6.4, 0.5 * len(names) + 1.2), layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, color=INK, lw=1)
    means, halves = zip(*measured.values(), strict=True)
    axes.errorbar(
        means, range(len(names)), xerr=halves, fmt="D", color=BLUE, capsize=4, ms=5, label="here"
    )
    for colour, marker, (who, numbers) in zip(COLOURS[1:], "sov^", cited.items(), strict=False):
        places = [names.index(name) + 0.22 for name in numbers]
        axes.plot(list(numbers.values()), places, marker, color=colour, ms=6, label=who)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel=xlabel, ylim=(len(names) - 0.4, -0.6))
    axes.grid(axis="x")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.02 + 0.35 / len(names)), ncols=3)
    return figure
