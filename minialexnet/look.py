"""Pictures of a run: learning curves, first-layer filters, predictions."""

import re

import numpy as np
from matplotlib.figure import Figure

# Letters of a class's name that fit under a picture.
LONGEST = 24


def curves(history: list[dict]) -> Figure:
    """Loss and error rates over the epochs.

    Parameters
    ----------
    history : a row for each epoch, as in log.csv; the one under way has no test errors yet
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["loss"] for row in history], ".-", color="tab:gray")
    left.set(xlabel="epoch", ylabel="training loss (nats)", ylim=(0, None))
    shown = {
        "train_error": ("training, while it learns", "tab:blue"),
        "test_error": ("test", "tab:orange"),
        "test_error_top5": ("test, top-5", "tab:green"),
    }
    for key, (label, color) in shown.items():
        if history and key in history[0]:
            known = [row for row in history if key in row]
            errors = [100 * row[key] for row in known]
            right.plot([row["epoch"] for row in known], errors, ".-", label=label, color=color)
    right.set(xlabel="epoch", ylabel="error (%)", ylim=(0, None))
    if history:
        right.legend(frameon=False)
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    return figure


def filters(weight: np.ndarray) -> Figure:
    """The filters of the first layer as little colour pictures, as in the paper's figure 3.

    Parameters
    ----------
    weight : (K, K, 3, O)

    Notes
    -----
    Each filter is scaled by its own largest value; grey is 0.
    """
    count = weight.shape[3]
    columns = min(count, 16 if count > 32 else 8)
    rows = -(-count // columns)
    figure = Figure(figsize=(0.7 * columns, 0.7 * rows), layout="constrained")
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.set_axis_off()
    for axes, one in zip(figure.axes, np.moveaxis(weight, 3, 0), strict=False):
        axes.imshow(0.5 + 0.5 * one / max(abs(one).max(), 1e-12), interpolation="nearest")
    return figure


def short(name: str) -> str:
    """A class's name where there is little room: of ImageNet's, the first words without the ID."""
    words = re.sub(r"^n\d{8} ", "", name).partition(",")[0]
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"


def predictions(
    images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, classes
) -> Figure:
    """Pictures with the five classes found most probable, as in the paper's figure 4.

    Parameters
    ----------
    images : (N, H, W, 3) uint8
    labels : (N,) the right classes: their bars are orange
    probabilities : (N, M) shares of 1
    classes : M names
    """
    columns = 4
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(2.3 * columns, 3.0 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[2, 1] * rows)
    for one in axes.flat:
        one.set_axis_off()
    for n, image in enumerate(images):
        row, column = divmod(n, columns)
        above, below = axes[2 * row, column], axes[2 * row + 1, column]
        above.imshow(image, interpolation="nearest")
        above.set_title(short(classes[labels[n]]), fontsize=10, parse_math=False)
        best = np.argsort(-probabilities[n], kind="stable")[:5]
        for place, m in enumerate(best):
            color = "tab:orange" if m == labels[n] else "tab:blue"
            below.barh(-place, probabilities[n, m], color=color, alpha=0.6)
            below.text(0.02, -place, short(classes[m]), va="center", fontsize=8, parse_math=False)
        below.set(xlim=(0, 1), ylim=(-4.6, 0.6))
    return figure
