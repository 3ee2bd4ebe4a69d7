"""CIFAR-10's network of 18 %, trained to the end."""

import contextlib
import io
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from minialexnet import recipes
from minialexnet.backend import Device
from minialexnet.bench.card.plan import Plan
from minialexnet.run import Run


def cifar(place: Device, plan: Plan) -> dict:
    """Train `cifar_18pct` from seed 0 on the plan's folder.

    Returns
    -------
    test_error : after the last epoch, share of 1
    seconds : all of it, from the reading of the pictures to the last of the run's drawings
    epochs
    """
    recipe = replace(recipes.RECIPES["cifar_18pct"].recipe, data=str(plan.cifar10))
    if plan.epochs:
        recipe = replace(recipe, epochs=plan.epochs)
    started = perf_counter()
    with TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        run = Run(recipe, Path(folder) / "run", place, plan.threads)
        run.go()
        history = run.progress.history
    return {
        "test_error": history[-1]["test_error"],
        "seconds": perf_counter() - started,
        "epochs": len(history),
    }
