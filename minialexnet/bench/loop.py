"""The whole loop of training: prepared pictures, augmentation, log and all."""

import contextlib
import io
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from minialexnet import recipes
from minialexnet.backend import device
from minialexnet.bench.turns import measured
from minialexnet.bench.work import Work
from minialexnet.data.writing import new_prepared
from minialexnet.run import Run
from minialexnet.train import train

# Steps that are not counted: the first ones compile kernels and fill the memory pool.
WARM = 10


def drawn_pictures(folder: Path, count: int, size: int, classes: int, test: int = 64) -> Path:
    """A prepared data set of noise: reading and cutting it costs what photographs cost.

    Parameters
    ----------
    count, test : of training and test pictures
    size : their side, pixels
    """
    rng = np.random.default_rng(0)
    names = tuple(f"class{number}" for number in range(classes))
    with new_prepared(
        folder, train=count, test=test, size=size, classes=names, source="drawn noise"
    ) as splits:
        for split in splits:
            for first in range(0, len(split.labels), 256):
                some = slice(first, first + 256)
                split.images[some] = rng.integers(0, 256, split.images[some].shape, np.uint8)
                split.labels[some] = rng.integers(0, classes, len(split.labels[some]))
    return folder


def loop_speed(
    work: Work, data: str, steps: int, crop: int | None = None, warm: int = WARM
) -> dict:
    """Images a second of the loop that `minialexnet train` runs, between its first steps and last.

    Parameters
    ----------
    data : a prepared data set
    steps : how many are timed
    crop : side of the parts that are cut out at random places; None: as the network sees them
    warm : steps before these

    Returns
    -------
    images_per_s, waited (share of the time that was spent waiting for pictures), steps, batch
    """
    recipe = loop_recipe(work, data, work.shape[0] if crop is None else crop)
    with TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        run = Run(recipe, Path(folder) / "run", device(work.device), work.threads)
        first, last = None, (0, 0.0)
        loop = train(run.running, run.sgd, run.data, recipe, run.device, run.progress, run.replicas)
        with contextlib.closing(loop):
            for _ in loop:
                run.log()
                # What was asked of a GPU is done when one of its numbers is here.
                run.device.get(next(iter(run.net.params.values())).reshape(-1)[:1])
                last = run.progress.epoch * run.steps + run.progress.step, perf_counter()
                if first is None and last[0] >= warm:
                    first = last
                elif first and last[0] >= first[0] + steps:
                    break
        waited = run.rows()[-1]["waited"]
    counted, seconds = (end - begin for begin, end in zip(first, last, strict=True))
    return {
        "images_per_s": counted * work.batch / seconds,
        "waited": waited,
        "steps": counted,
        "batch": work.batch,
    }


def loop_against_step(work: Work, data: str, steps: int, rounds: int = 5) -> dict:
    """The same with the speed of the bare step beside it: bare_images_per_s."""
    bare = measured(work, rounds=rounds)["contenders"]["minialexnet"]["images_per_s"]
    return loop_speed(work, data, steps) | {"bare_images_per_s": bare}


def loop_recipe(work: Work, data: str, crop: int):
    """The paper's training with the work's network, batch and precision, augmentation and all."""
    recipe = recipes.RECIPES["alexnet"].recipe
    chosen = {
        # It is stopped long before.
        "epochs": 10**6,
        "network": work.network,
        "data": data,
        "batch": work.batch,
        "crop": crop,
        "crops": "center",
        "flip": True,
        "engine": work.engine,
        "rate": 1e-6,
        "schedule": "constant",
        "precision": work.precision,
    }
    return replace(recipe, **chosen)
