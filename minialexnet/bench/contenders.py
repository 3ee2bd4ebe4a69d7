"""The programs that are timed: one step of ours, and the same step in PyTorch."""

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from minialexnet import processor
from minialexnet.backend import device, on_gpu
from minialexnet.bench.clock import Clock, Events, clock, torch_clock
from minialexnet.bench.work import Work
from minialexnet.data import seen
from minialexnet.errors import InputError
from minialexnet.loss import softmax_cross_entropy
from minialexnet.ranks import Alone

# A small rate: the weights may become anything but NaN.
RATE = 1e-6

# A contender is made by a function that takes the work and returns another, which does one step
# and returns a clock that was read after each of its parts.
Step = Callable[[], Clock | Events]


def minialexnet(work: Work, ranks: Alone | None = None) -> Step:
    """Ours; `ranks` share its batch and its threads are those of each."""
    ranks = ranks or Alone()
    processor.settle()
    threadpool_limits(work.threads, user_api="blas")
    place = device(work.device)
    net, sgd = work.running(place)
    pictures = work.pictures()
    see = seen(np.full(work.shape, 128, np.float32), 1.0, 0, place)
    rng = np.random.default_rng(0)
    share = ranks.share(work.batch)

    gpu = on_gpu(place.name)
    # Feeding a GPU is measured by itself: here the pictures are there already.
    images, labels = (place.put(a) if gpu else a for a in (pictures.images, pictures.labels))

    def batch():
        chosen = work.chosen(rng)[share.rows]
        if not gpu:
            return see(images[chosen]), place.put(labels[chosen])
        chosen = place.put(chosen)
        return see(images[chosen]), labels[chosen]

    def train() -> Clock | Events:
        watch = clock(place)
        x, labels = batch()
        watch.lap("data")
        scores, cache = net.forward(x, share.chance(rng))
        _, dscores = softmax_cross_entropy(scores, labels)
        watch.lap("forward")
        _, grads = net.backward(dscores, cache)
        watch.lap("backward")
        if ranks.size > 1:
            grads = ranks.mean(grads, share.weight)
            watch.lap("communication")
        net.params = sgd.step(net.params, grads, RATE)
        watch.lap("update")
        return watch

    def predict() -> Clock | Events:
        watch = clock(place)
        x, _ = batch()
        watch.lap("data")
        net(x)
        watch.lap("forward")
        return watch

    return train if work.task == "train" else predict


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

    gpu = on_gpu(work.device)
    if gpu and not torch.cuda.is_available():
        raise InputError(
            f"--against torch: this PyTorch ({torch.__version__}) finds no GPU; pip install torch "
            "for the CUDA that the driver has"
        )
    torch.manual_seed(0)
    torch.set_num_threads(work.threads)
    # The fastest that it offers in this precision, for a fair comparison.
    for library in (torch.backends.cuda.matmul, torch.backends.cudnn):
        library.allow_tf32 = work.precision == "tf32"
    torch.backends.cudnn.benchmark = True
    half = work.precision == "float16"
    layout = getattr(torch, layout)
    net = torch_network(work.net(), work.shape).to(work.device, memory_format=layout)
    sgd = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9, weight_decay=0.0005)
    scaler = torch.amp.GradScaler("cuda" if gpu else "cpu", enabled=half)
    pictures, rng = work.pictures(), np.random.default_rng(0)
    images, labels = (
        torch.from_numpy(array).to(work.device) for array in (pictures.images, pictures.labels)
    )

    def batch():
        chosen = torch.from_numpy(work.chosen(rng)).to(work.device)
        x = images[chosen].permute(0, 3, 1, 2).to(torch.float32, memory_format=layout).sub_(128)
        return x, labels[chosen]

    def calculating():
        return torch.autocast("cuda" if gpu else "cpu", torch.float16, enabled=half)

    def train() -> Clock | Events:
        watch = torch_clock(work.device)
        x, labels = batch()
        watch.lap("data")
        with calculating():
            loss = cross_entropy(net(x), labels)
        watch.lap("forward")
        sgd.zero_grad()
        scaler.scale(loss).backward()
        watch.lap("backward")
        scaler.step(sgd)
        scaler.update()
        watch.lap("update")
        return watch

    @torch.no_grad()
    def predict() -> Clock | Events:
        watch = torch_clock(work.device)
        x, _ = batch()
        watch.lap("data")
        with calculating():
            net(x)
        watch.lap("forward")
        return watch

    net.train(work.task == "train")
    return train if work.task == "train" else predict


CONTENDERS = {
    "minialexnet": minialexnet,
    "PyTorch, channels first": torch_channels_first,
    "PyTorch, channels last": torch_channels_last,
}
