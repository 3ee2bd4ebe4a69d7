"""Training: the loop."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

from minialexnet.backend import Device, fetched
from minialexnet.chance import generator
from minialexnet.data import Dataset, Feed, Input, Split, steps_per_epoch
from minialexnet.evaluate import customary_tops, wrong_counts
from minialexnet.loss import softmax_cross_entropy
from minialexnet.optim import SGD
from minialexnet.ranks import Alone
from minialexnet.recipe import Recipe
from minialexnet.scaling import scaling_of

# What a row says of the time that an epoch took; all else depends on the recipe alone.
TIMING = ("images_per_s", "waited", "seconds")
# Steps whose losses come home together. Whoever asks a GPU for a number waits until all that it
# was told before is done, and meanwhile tells it nothing new. A CPU has done it already.
TOGETHER = 50


@dataclass
class Progress:
    """Where a run is. With the weights and the velocity it is all that the next step depends on.

    Parameters
    ----------
    epoch, step : whole epochs done, and steps of the one after
    history : a row for each whole epoch
    loss, wrong, images : sums over the steps of this epoch
    seconds, waited : what these steps took, and how much of it they waited for pictures
    scale, good, skipped : of the `Scaling` of float16, skipped steps over all epochs; else 0
    """

    epoch: int = 0
    step: int = 0
    history: list[dict] = field(default_factory=list)
    loss: float = 0.0
    wrong: int = 0
    images: int = 0
    seconds: float = 0.0
    waited: float = 0.0
    scale: float = 0.0
    good: int = 0
    skipped: int = 0


def train(
    net,
    sgd: SGD,
    data: Dataset,
    recipe: Recipe,
    device: Device,
    progress: Progress,
    ranks: Alone | None = None,
) -> Iterator[list[float]]:
    """Train from where `progress` is to the end of the recipe, a few steps at a time.

    Parameters
    ----------
    net : the network; its parameters are on the device and are replaced at each step
    sgd : the optimiser; its velocity changes at each step
    progress : is kept up to date; after the last step of an epoch, step is 0 and a row is added
    ranks : the processes that share each batch; None: this one has it to itself

    Yields
    ------
    The loss of each step since the last time, over the whole batch, nats: of one step on a CPU, of
    up to TOGETHER elsewhere, and never of two epochs. Then the run can be saved, stopped or looked
    at.
    """
    ranks = ranks or Alone()
    see = recipe.seen(data.mean, device)
    rate_at = recipe.learning_rate()
    steps = steps_per_epoch(data.train, recipe.batch)
    together = 1 if device.name == "cpu" else TOGETHER
    scaling = scaling_of(sgd)
    if scaling is not None:
        scaling.begin(device, progress.scale, progress.good, progress.skipped)
    while progress.epoch < recipe.epochs:
        epoch = progress.epoch
        order = generator("order", recipe.seed, epoch).permutation(len(data.train.labels))
        errors = [row["test_error"] for row in progress.history]
        look = recipe.looks(data, epoch)
        feed = Feed(data.train, order, recipe.batch, look, see, progress.step, ranks.share)
        started, waiting = perf_counter(), []
        for x, labels in feed:
            now = epoch + progress.step / steps
            rate = rate_at(now, errors)
            share = feed.share_now
            rng = share.chance(generator("layers", recipe.seed, epoch, progress.step))

            scores, cache = net.forward(x, rng)
            loss, dscores = softmax_cross_entropy(scores, labels)
            _, grads = net.backward(dscores, cache)
            grads = ranks.mean(grads, share.weight)
            net.params = sgd.step(net.params, grads, rate, now)

            wrong = (scores.argmax(axis=1) != labels)[: share.images].sum()
            waiting.append((share, loss, wrong))
            progress.step += 1
            progress.waited += feed.waited
            if progress.step % together and progress.step < steps:
                continue
            losses = _counted(waiting, progress, device, ranks)
            if scaling is not None:
                progress.scale, progress.good, progress.skipped = scaling.home(device)
            progress.seconds += perf_counter() - started
            if progress.step == steps:
                _end_epoch(progress, rate, net, data, see, ranks)
            yield losses
            started, waiting = perf_counter(), []


def _counted(waiting: list[tuple], progress: Progress, device: Device, ranks: Alone) -> list[float]:
    """The losses of the steps that wait to be counted, over all ranks; they enter the progress."""
    shares, losses, wrongs = zip(*waiting, strict=True)
    losses = [
        share.weight * loss for share, loss in zip(shares, fetched(losses, device), strict=True)
    ]
    whole = ranks.total(*losses, *fetched(wrongs, device))
    losses, wrongs = whole[: len(shares)], whole[len(shares) :]
    for share, loss, wrong in zip(shares, losses, wrongs, strict=True):
        progress.images += share.whole
        progress.loss += loss * share.whole
        progress.wrong += int(wrong)
    return list(losses)


def row_so_far(progress: Progress, rate: float, errors: tuple[float, ...] = ()) -> dict:
    """What the steps of this epoch came to, with the test errors at its end."""
    return {
        "epoch": progress.epoch + 1,
        "rate": rate,
        "loss": progress.loss / progress.images,
        "train_error": progress.wrong / progress.images,
        **dict(zip(("test_error", "test_error_top5"), errors, strict=False)),
        **_scaling(progress),
        "images_per_s": progress.images / progress.seconds,
        "waited": progress.waited / progress.seconds,
        "seconds": progress.seconds,
    }


def _scaling(progress: Progress) -> dict:
    """The steps of this epoch that float16 lost, and the scale that it has come to."""
    if not progress.scale:
        return {}
    before = sum(row["skipped"] for row in progress.history)
    return {"skipped": progress.skipped - before, "scale": progress.scale}


def _end_epoch(progress: Progress, rate, net, data: Dataset, see: Input, ranks: Alone) -> None:
    started = perf_counter()
    count = len(data.test.labels)
    share = ranks.share(count)
    mine = Split(*(of[share.first : share.last] for of in (data.test.images, data.test.labels)))
    wrong = ranks.total(*wrong_counts(net, mine, see, customary_tops(data.classes)))
    errors = tuple(number / count for number in wrong)
    row = row_so_far(progress, rate, errors)
    row["seconds"] += perf_counter() - started
    progress.history.append(row)
    progress.epoch += 1
    progress.step = progress.images = progress.wrong = 0
    progress.loss = progress.seconds = progress.waited = 0.0
