"""Training: the loop."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

from minialexnet.backend import Device
from minialexnet.chance import generator
from minialexnet.data import Dataset, Input, batches, steps_per_epoch
from minialexnet.evaluate import customary_tops, error_rates
from minialexnet.loss import softmax_cross_entropy
from minialexnet.optim import SGD
from minialexnet.recipe import Recipe


@dataclass
class Progress:
    """Where a run is. With the weights and the velocity it is all that the next step depends on.

    Parameters
    ----------
    epoch, step : whole epochs done, and steps of the one after
    history : a row for each whole epoch
    loss, wrong, images, seconds : sums over the steps of this epoch
    """

    epoch: int = 0
    step: int = 0
    history: list[dict] = field(default_factory=list)
    loss: float = 0.0
    wrong: int = 0
    images: int = 0
    seconds: float = 0.0


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
        order = generator("order", recipe.seed, epoch)
        errors = [row["test_error"] for row in progress.history]
        for images, labels in batches(data.train, recipe.batch, order, start=progress.step):
            started = perf_counter()
            rate = rate_at(epoch + progress.step / steps, errors)
            rng = generator("layers", recipe.seed, epoch, progress.step)
            chance = generator("augmentation", recipe.seed, epoch, progress.step)
            images, labels = recipe.augmented(images, chance), device.put(labels)

            scores, cache = net.forward(see(images), rng)
            loss, dscores = softmax_cross_entropy(scores, labels)
            _, grads = net.backward(dscores, cache)
            net.params = sgd.step(net.params, grads, rate)

            loss = float(device.get(loss))
            progress.step += 1
            progress.images += len(images)
            progress.loss += loss * len(images)
            progress.wrong += int(device.get((scores.argmax(axis=1) != labels).sum()))
            progress.seconds += perf_counter() - started
            if progress.step == steps:
                _end_epoch(progress, rate, net, data, see)
            yield loss


def _end_epoch(progress: Progress, rate, net, data: Dataset, see: Input) -> None:
    started = perf_counter()
    errors = error_rates(net, data.test, see, customary_tops(data.classes))
    row = {
        "epoch": progress.epoch + 1,
        "rate": rate,
        "loss": progress.loss / progress.images,
        "train_error": progress.wrong / progress.images,
        **dict(zip(("test_error", "test_error_top5"), errors, strict=False)),
        "images_per_s": progress.images / progress.seconds,
        "seconds": progress.seconds + perf_counter() - started,
    }
    progress.history.append(row)
    progress.epoch += 1
    progress.step = progress.images = progress.wrong = 0
    progress.loss = progress.seconds = 0.0
