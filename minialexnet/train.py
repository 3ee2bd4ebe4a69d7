"""Training: the loop."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

from minialexnet.backend import Device
from minialexnet.chance import generator
from minialexnet.data import Dataset, Feed, Input, steps_per_epoch
from minialexnet.evaluate import customary_tops, error_rates
from minialexnet.loss import softmax_cross_entropy
from minialexnet.optim import SGD
from minialexnet.recipe import Recipe

# What a row says of the time that an epoch took; all else depends on the recipe alone.
TIMING = ("images_per_s", "waited", "seconds")


@dataclass
class Progress:
    """Where a run is. With the weights and the velocity it is all that the next step depends on.

    Parameters
    ----------
    epoch, step : whole epochs done, and steps of the one after
    history : a row for each whole epoch
    loss, wrong, images : sums over the steps of this epoch
    seconds, waited : what these steps took, and how much of it they waited for pictures
    """

    epoch: int = 0
    step: int = 0
    history: list[dict] = field(default_factory=list)
    loss: float = 0.0
    wrong: int = 0
    images: int = 0
    seconds: float = 0.0
    waited: float = 0.0


def train(
    net, sgd: SGD, data: Dataset, recipe: Recipe, device: Device, progress: Progress
) -> Iterator[float]:
    """Train from where `progress` is to the end of the recipe, a step at a time.

    Parameters
    ----------
    net : the network; its parameters are on the device and are replaced at each step
    sgd : the optimiser; its velocity changes at each step
    progress : is kept up to date; after the last step of an epoch, step is 0 and a row is added

    Yields
    ------
    The loss of each step, nats. Between two steps the run can be saved, stopped or looked at.
    """
    see = recipe.seen(data.mean, device)
    rate_at = recipe.learning_rate()
    steps = steps_per_epoch(data.train, recipe.batch)
    while progress.epoch < recipe.epochs:
        epoch = progress.epoch
        order = generator("order", recipe.seed, epoch).permutation(len(data.train.labels))
        errors = [row["test_error"] for row in progress.history]
        look = recipe.looks(data, epoch)
        feed = Feed(data.train, order, recipe.batch, look, see, start=progress.step)
        started = perf_counter()
        for x, labels in feed:
            now = epoch + progress.step / steps
            rate = rate_at(now, errors)
            rng = generator("layers", recipe.seed, epoch, progress.step)

            scores, cache = net.forward(x, rng)
            loss, dscores = softmax_cross_entropy(scores, labels)
            _, grads = net.backward(dscores, cache)
            net.params = sgd.step(net.params, grads, rate, now)

            loss = float(device.get(loss))
            progress.step += 1
            progress.images += len(labels)
            progress.loss += loss * len(labels)
            progress.wrong += int(device.get((scores.argmax(axis=1) != labels).sum()))
            progress.waited += feed.waited
            progress.seconds += perf_counter() - started
            if progress.step == steps:
                _end_epoch(progress, rate, net, data, see)
            yield loss
            started = perf_counter()


def row_so_far(progress: Progress, rate: float, errors: tuple[float, ...] = ()) -> dict:
    """What the steps of this epoch came to, with the test errors at its end."""
    return {
        "epoch": progress.epoch + 1,
        "rate": rate,
        "loss": progress.loss / progress.images,
        "train_error": progress.wrong / progress.images,
        **dict(zip(("test_error", "test_error_top5"), errors, strict=False)),
        "images_per_s": progress.images / progress.seconds,
        "waited": progress.waited / progress.seconds,
        "seconds": progress.seconds,
    }


def _end_epoch(progress: Progress, rate, net, data: Dataset, see: Input) -> None:
    started = perf_counter()
    errors = error_rates(net, data.test, see, customary_tops(data.classes))
    row = row_so_far(progress, rate, errors)
    row["seconds"] += perf_counter() - started
    progress.history.append(row)
    progress.epoch += 1
    progress.step = progress.images = progress.wrong = 0
    progress.loss = progress.seconds = progress.waited = 0.0
