"""Does it pay, on CPUs, to add up gradients over the ranks while the backward pass goes on?

    mpiexec -n 2 python lessons/experiments/overlap.py

AlexNet's fully connected layers hold 96 % of the weights; their gradients are known first. Their
sum is begun before the backward pass of the convolutions, and waited for after it: by itself, or
with a thread that keeps it going. Against that, the sum after the backward pass.
"""

import os
import threading
from statistics import median
from time import perf_counter, sleep

from minialexnet import processor

processor.settle()

import numpy as np
from mpi4py import MPI
from threadpoolctl import threadpool_limits

from minialexnet import networks
from minialexnet.chance import generator
from minialexnet.engine import for_cpu
from minialexnet.layers import Network

BATCH, ROUNDS = 32, 7
threadpool_limits(1, user_api="blas")
comm = MPI.COMM_WORLD
whole = networks.alexnet(generator("weights", 0))
names = list(whole.layers)
below = Network({name: whole.layers[name] for name in names[: names.index("flatten")]})
net = for_cpu(below, "winograd", (227, 227, 3))
heads = sum(w.size for name, w in whole.params.items() if name.startswith("fc"))
gradients = np.ones(heads, np.float32)
x = np.random.default_rng(0).normal(size=(BATCH, 227, 227, 3)).astype(np.float32)


def done(request) -> None:
    while not request.Test():
        os.sched_yield()


def after(backward) -> None:
    backward()
    done(comm.Iallreduce(MPI.IN_PLACE, gradients))


def begun_before(backward) -> None:
    request = comm.Iallreduce(MPI.IN_PLACE, gradients)
    backward()
    done(request)


def kept_going(backward) -> None:
    request, over = comm.Iallreduce(MPI.IN_PLACE, gradients), threading.Event()

    def push() -> None:
        while not request.Test():
            sleep(0.0005)
        over.set()

    threading.Thread(target=push).start()
    backward()
    over.wait()


ways = (after, begun_before, kept_going)
seconds = {way.__name__: [] for way in ways}
alone = []
for number in range(ROUNDS + 1):
    for way in ways:
        y, cache = net.forward(x, np.random.default_rng(0))
        comm.Barrier()
        started = perf_counter()
        way(lambda y=y, cache=cache: net.backward(y, cache))
        comm.Barrier()
        if number:  # the first round warms up
            seconds[way.__name__].append(perf_counter() - started)
    started = perf_counter()
    done(comm.Iallreduce(MPI.IN_PLACE, gradients))
    alone.append(perf_counter() - started)
if comm.rank == 0:
    print(f"adding up {gradients.nbytes / 1e6:.0f} MB alone: {median(alone):.3f} s")
    for name, times in seconds.items():
        ratio = median(a / b for a, b in zip(seconds["after"], times, strict=True))
        print(f"{name}: {median(times):.3f} s, {ratio:.3f} times the speed of the sum afterwards")
