"""The programs that are timed: one step of ours, and the same step in PyTorch."""

from collections.abc import Callable
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from minialexnet import processor
from minialexnet.backend import device
from minialexnet.bench.work import Work
from minialexnet.data import seen
from minialexnet.engine import for_cpu
from minialexnet.loss import softmax_cross_entropy
from minialexnet.optim import SGD
from minialexnet.ranks import Alone

# A small rate: the weights may become anything but NaN.
RATE = 1e-6

# A contender is made by a function that takes the work and returns another, which does one step
# and returns its parts: {part: seconds}.
Step = Callable[[], dict[str, float]]


class Clock:
    """Seconds by part. Before each reading it waits for the device."""

    def __init__(self, wait: Callable[[], None]):
        self.wait, self.parts, self.last = wait, {}, perf_counter()

    def lap(self, part: str) -> None:
        """The time since the last reading was spent on this part."""
        self.wait()
        now = perf_counter()
        self.parts[part] = self.parts.get(part, 0.0) + now - self.last
        self.last = now


def minialexnet(work: Work, ranks: Alone | None = None) -> Step:
    """Ours; `ranks` share its batch and its threads are those of each."""
    ranks = ranks or Alone()
    processor.settle()
    threadpool_limits(work.threads, user_api="blas")
    place = device(work.device)
    plain = work.net()
    plain.params = {name: place.put(weight) for name, weight in plain.params.items()}
    on_cpu = work.device == "cpu"
    net = for_cpu(plain, work.engine, work.shape, work.threads) if on_cpu else plain
    pictures, sgd = work.pictures(), SGD()
    see = seen(np.full(work.shape, 128, np.float32), 1.0, 0, place)
    rng = np.random.default_rng(0)
    wait = _gpu_wait() if not on_cpu else _no_wait
    share = ranks.share(work.batch)

    def batch():
        images, labels = work.some(pictures, rng)
        return see(images[share.rows]), place.put(labels[share.rows])

    def train() -> dict[str, float]:
        clock = Clock(wait)
        x, labels = batch()
        clock.lap("data")
        scores, cache = net.forward(x, share.chance(rng))
        _, dscores = softmax_cross_entropy(scores, labels)
        clock.lap("forward")
        _, grads = net.backward(dscores, cache)
        clock.lap("backward")
        if ranks.size > 1:
            grads = ranks.mean(grads, share.weight)
            clock.lap("communication")
        net.params = sgd.step(net.params, grads, RATE)
        clock.lap("update")
        return clock.parts

    def predict() -> dict[str, float]:
        clock = Clock(wait)
        x, _ = batch()
        clock.lap("data")
        net(x)
        clock.lap("forward")
        return clock.parts

    return train if work.task == "train" else predict


def _no_wait() -> None:
    """A CPU has done what it was told when it returns."""


def _gpu_wait() -> Callable[[], None]:
    import cupy

    return cupy.cuda.Device().synchronize


def torch_channels_last(work: Work) -> Step:
    """PyTorch with pictures laid out (N, H, W, C) in memory."""
    return _torch(work, "channels_last")


def torch_channels_first(work: Work) -> Step:
    """PyTorch with pictures laid out (N, C, H, W) in memory."""
    return _torch(work, "contiguous_format")


def _torch(work: Work, layout: str) -> Step:
    import torch
    from torch.nn.functional import cross_entropy

    from minialexnet.bench.rival import torch_network

    torch.manual_seed(0)
    torch.set_num_threads(work.threads)
    layout = getattr(torch, layout)
    net = torch_network(work.net(), work.shape).to(work.device, memory_format=layout)
    sgd = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9, weight_decay=0.0005)
    pictures, rng = work.pictures(), np.random.default_rng(0)
    wait = torch.cuda.synchronize if work.device != "cpu" else _no_wait

    def batch():
        images, labels = work.some(pictures, rng)
        x = torch.from_numpy(images).to(work.device).permute(0, 3, 1, 2)
        x = x.to(torch.float32, memory_format=layout).sub_(128)
        return x, torch.from_numpy(labels).to(work.device)

    def train() -> dict[str, float]:
        clock = Clock(wait)
        x, labels = batch()
        clock.lap("data")
        loss = cross_entropy(net(x), labels)
        clock.lap("forward")
        sgd.zero_grad()
        loss.backward()
        clock.lap("backward")
        sgd.step()
        clock.lap("update")
        return clock.parts

    @torch.no_grad()
    def predict() -> dict[str, float]:
        clock = Clock(wait)
        x, _ = batch()
        clock.lap("data")
        net(x)
        clock.lap("forward")
        return clock.parts

    net.train(work.task == "train")
    return train if work.task == "train" else predict


CONTENDERS = {
    "minialexnet": minialexnet,
    "PyTorch, channels first": torch_channels_first,
    "PyTorch, channels last": torch_channels_last,
}
