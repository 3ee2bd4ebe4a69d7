"""One training of an experiment: what it learns from, and the row that comes of it."""

import math
import warnings
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from time import perf_counter, process_time

import numpy as np

from minialexnet import __version__, backend
from minialexnet.backend import Device
from minialexnet.chance import generator
from minialexnet.data import Dataset, Split, steps_per_epoch
from minialexnet.data.crops import center
from minialexnet.errors import InputError
from minialexnet.evaluate import error_rates
from minialexnet.experiments.base import Training
from minialexnet.initial import initialised
from minialexnet.run import for_device, network
from minialexnet.train import Progress, train

# Steps over which the training error of the moment is the mean.
RECENT = 200
# Test pictures that the error at the end of each epoch is of, and training pictures that the
# training error at the end of the training is of.
PROBE, LEARNT = 2_000, 10_000
# Steps that are timed to say how long a training will take.
TIMED = 20


def fingerprint(data: Dataset) -> str:
    """What the data set is, so that no table mixes two: counts, and a checksum of the mean."""
    counts = f"{len(data.train.labels)} + {len(data.test.labels)}"
    return f"{counts}, {zlib.crc32(data.mean.tobytes()):08x}"


def row_of(training: Training, data: Dataset, device: Device, threads: int = 1) -> dict:
    """Train to the target or to the end of the recipe, and say what came of it.

    Returns
    -------
    a row of the table of results, see `results.COLUMNS`
    """
    started = process_time()
    recipe, part = training.recipe, chosen(data, training)
    net, see = _prepared(training, part, device, threads)
    progress, recent = Progress(), deque(maxlen=RECENT)
    steps, ended = 0, "cap" if training.target else "end"
    for loss, wrong in _learning(net, part, training, device, progress):
        steps += 1
        recent.append(wrong)
        if not math.isfinite(loss):
            ended = "diverged"
            break
        if training.target and len(recent) == RECENT and np.mean(recent) <= training.target:
            ended = "target"
            break
    (train_error,) = error_rates(net, _some(part.train, LEARNT), see)
    (test_error,) = error_rates(net, part.test, see)
    return {
        "setting": training.setting,
        "rate": recipe.rate,
        "seed": recipe.seed,
        "pictures": len(part.train.labels),
        "epochs": round(steps / steps_per_epoch(part.train, recipe.batch), 3),
        "steps": steps,
        "ended": ended,
        "train_error": round(train_error, 5),
        "test_error": round(test_error, 5),
        "train_errors": _listed(progress, "train_error"),
        "test_errors": _listed(progress, "test_error"),
        "cpu_seconds": round(process_time() - started, 1),
        "data": fingerprint(data),
        "version": __version__,
    }


def seconds_at_most(training: Training, data: Dataset, device: Device, threads: int = 1) -> float:
    """How long a training will take, from the time of its first steps, without its tests."""
    part = chosen(data, training)
    net, _ = _prepared(training, part, device, threads)
    ends = []
    for _ in _learning(net, part, training, device, Progress()):
        ends.append(perf_counter())
        if len(ends) > TIMED:
            break
    step = float(np.median(np.diff(ends))) if len(ends) > 1 else 0.0
    return step * training.recipe.epochs * steps_per_epoch(part.train, training.recipe.batch)


def chosen(data: Dataset, training: Training) -> Dataset:
    """The part of a data set that a training learns from and is tested on.

    Raises
    ------
    InputError
        If there are fewer pictures than it wants, or nobody measured how their colours vary.
    """
    train, test, mean = data.train, data.test, data.mean
    have, want, side = len(train.labels), training.pictures, training.center
    if want > have:
        raise InputError(f"this experiment wants {want:,} training pictures, got {have:,}")
    if training.recipe.colour and data.colours is None:
        raise InputError(
            "this experiment wants to know how the colours of the pictures vary, which nobody "
            "measured: prepare them again"
        )
    if 0 < want < have:
        train = _some(train, want, training.recipe.seed)
    if side:
        train = Split(center(train.images, side), train.labels)
        test = Split(center(test.images, side), test.labels)
        mean = np.ascontiguousarray(center(mean, side))
    return Dataset(train, test, data.classes, mean, data.source, data.colours)


def _some(split: Split, count: int, seed: int = 0) -> Split:
    """So many pictures, drawn without asking what they show."""
    have = len(split.labels)
    some = np.sort(generator("order", seed).permutation(have)[:count])
    return Split(split.images[some], split.labels[some])


def _prepared(training: Training, data: Dataset, device: Device, threads: int):
    """The network with its initial weights as it runs best, and how pictures enter it."""
    recipe = training.recipe
    see = recipe.seen(data.mean, device)
    net = network(recipe.network, len(data.classes), recipe.seed, **training.network)
    first = recipe.seen(data.mean, backend.device("cpu"))(_some(data.train, 64, recipe.seed).images)
    weights = initialised(recipe.init, net, generator("weights", recipe.seed), first)
    net.params = {name: device.put(array) for name, array in weights.items()}
    return for_device(net, device, recipe.engine, see.mean.shape, threads), see


def _learning(
    net, data: Dataset, training: Training, device: Device, progress: Progress
) -> Iterator[tuple[float, float]]:
    """The library's training loop, tested on few pictures after each epoch.

    Yields
    ------
    The loss of each step, nats, and the share of its pictures that were wrong, before it learnt
    from them; on a GPU, of all pictures whose losses came home with it.
    """
    recipe = training.recipe
    probed = replace(data, test=_some(data.test, PROBE))
    total, before = len(data.train.labels), (0, 0)
    # What overflows shows in the loss.
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        for losses in train(net, recipe.optimiser(), probed, recipe, device, progress):
            if progress.step:
                now = progress.wrong, progress.images
            else:
                now = round(progress.history[-1]["train_error"] * total), total
            wrong = (now[0] - before[0]) / (now[1] - before[1])
            yield from ((loss, wrong) for loss in losses)
            before = now if progress.step else (0, 0)


def _listed(progress: Progress, name: str) -> str:
    return " ".join(f"{row[name]:.4f}" for row in progress.history)
