"""Learning curves of a run."""

from matplotlib.figure import Figure

from minialexnet.look.style import readable


@readable
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
