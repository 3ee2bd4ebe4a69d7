"""A hundred steps of `mini` in float64; the first rank writes the weights. Run under mpiexec.

In float32 roundings differ with the order of summation, and now and then one of them turns a ReLU
on or off. In float64 that is too rare to happen here, and agreement can be asked for sharply.
"""

import dataclasses
import sys

import numpy as np
import tiny

from minialexnet.backend import device
from minialexnet.chance import generator
from minialexnet.engine import for_cpu
from minialexnet.networks import mini
from minialexnet.ranks import over_ranks
from minialexnet.ranks.towers import Tower
from minialexnet.recipe import Recipe
from minialexnet.train import Progress, train

OUT, TOWERS = sys.argv[1], "towers" in sys.argv
# Seven steps an epoch, the last of one image.
RECIPE = Recipe(epochs=15, batch=16, rate=0.01, crop=32, flip=True, colour=0.1, share=3, seed=3)


def work(ranks):
    data = tiny.dataset(train=97, test=7, size=36)
    data = dataclasses.replace(data, mean=data.mean.astype(np.float64))
    net = mini(generator("weights", 3), 3)
    net.params = {name: weight.astype(np.float64) for name, weight in net.params.items()}
    sgd, replicas, tower = RECIPE.optimiser(), ranks, None
    if TOWERS:
        replicas, pair = ranks.part(ranks.rank % 2), ranks.part(ranks.rank // 2)
        net = tower = Tower(net, pair, pair.rank)
    running, progress = for_cpu(net, RECIPE.engine, (32, 32, 3)), Progress()
    steps = train(running, sgd, data, RECIPE, device("cpu"), progress, replicas)
    losses = [loss for losses in steps for loss in losses]
    params = net.params if tower is None else tower.whole(net.params)
    errors = [row["test_error"] for row in progress.history]
    if ranks.first:
        np.savez(OUT, losses=losses, errors=errors, **params)
    return 0


if __name__ == "__main__":
    raise SystemExit(over_ranks(work, 60))
