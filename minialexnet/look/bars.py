"""A few measured numbers side by side."""

from matplotlib.figure import Figure

from minialexnet.look.style import BLUE, readable


@readable
def bars(numbers: dict[str, float], xlabel: str, log: bool = False) -> Figure:
    """A bar for each number, with the number beside it.

    Parameters
    ----------
    numbers : {what it is of: number}
    xlabel : what is measured, and its unit
    log : a logarithmic axis, for numbers far apart
    """
    figure = Figure(figsize=(6.4, 0.42 * len(numbers) + 0.8), layout="constrained")
    axes = figure.subplots()
    drawn = axes.barh(list(numbers), list(numbers.values()), color=BLUE, height=0.6)
    axes.bar_label(drawn, [_short(number) for number in numbers.values()], padding=4)
    axes.invert_yaxis()
    axes.set(xlabel=xlabel, xscale="log" if log else "linear")
    axes.margins(x=0.12)
    return figure


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
