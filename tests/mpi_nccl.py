"""Training through NCCL's calls, or MPI's; the first rank writes the weights. Run under mpiexec.

On GPUs (the word "gpu") it is CuPy and NCCL themselves; else a stand-in, on the make-believe
accelerator. "mpi" trains on the host, without NCCL.
"""

import sys

import nccl_standin
import numpy as np
import tiny
from mpi4py import MPI

from minialexnet import strict
from minialexnet.backend import device, gpu_of
from minialexnet.chance import generator
from minialexnet.networks import mini
from minialexnet.ranks import Agreed, over_ranks
from minialexnet.ranks.nccl import Nccl
from minialexnet.ranks.towers import Tower
from minialexnet.recipe import Recipe
from minialexnet.train import Progress, train

OUT, WORDS = sys.argv[1], sys.argv[2:]
RECIPE = Recipe(epochs=2, batch=8, rate=0.01, flip=True)


def train_once(ranks):
    if "gpu" in WORDS:
        there = device(gpu_of(ranks.local_rank))
        ranks = ranks.on(there)
    elif "mpi" in WORDS:
        there = device("cpu")
    else:
        there = strict.device()
        # World, those of one kind of tower, and pairs: NCCL's communicators in that order.
        halves = [MPI.COMM_WORLD.Split(ranks.rank % 2), MPI.COMM_WORLD.Split(ranks.rank // 2)]
        nccl_standin.NcclCommunicator.comms = [MPI.COMM_WORLD, *halves]
        ranks = Nccl(ranks.comm, ranks.limit, cuda=nccl_standin.cuda)
    net = mini(generator("weights", 3), 3)
    net.params = {name: there.put(weight) for name, weight in net.params.items()}
    replicas, tower = ranks, None
    if "towers" in WORDS:
        replicas, pair = ranks.part(ranks.rank % 2), ranks.part(ranks.rank // 2)
        net = tower = Tower(net, pair, pair.rank)
    sgd, data = RECIPE.optimiser(), tiny.dataset()
    list(train(net, sgd, data, RECIPE, there, Progress(), replicas))
    params = {name: there.get(weight) for name, weight in net.params.items()}
    params = params if tower is None else tower.whole(params)
    if "mpi" not in WORDS and "gpu" not in WORDS:
        kinds = {kind for kind, _ in nccl_standin.calls}
        assert kinds == ({"send", "recv"} if tower else {"allReduce"}), kinds
    if ranks.first:
        np.savez(OUT, **params)
    return 0


def same_gpu(ranks):
    nccl_standin.cuda.Device = nccl_standin.device_of("0000:07:00.0")
    try:
        Nccl(ranks.comm, ranks.limit, cuda=nccl_standin.cuda)
    except Agreed as error:
        print(error, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(over_ranks(same_gpu if "same" in WORDS else train_once, 60))
