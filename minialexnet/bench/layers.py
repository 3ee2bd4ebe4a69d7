"""Where the time of a training step goes, layer by layer."""

from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from minialexnet.bench.work import Work
from minialexnet.cost import multiply_adds
from minialexnet.engine import for_cpu
from minialexnet.errors import InputError
from minialexnet.layers import Sliced


def layer_times(work: Work, repeats: int = 5) -> list[dict]:
    """Where the time of a training step goes: one slice of each stage, on one thread.

    Returns
    -------
    a row for each layer: layer, images (in the slice), forward and backward (microseconds an image,
    medians), multiply_adds (of one image, forward)
    """
    if work.device != "cpu":
        raise InputError(f"--layers measures on a CPU, got --device {work.device}")
    plain = work.net()
    costs = multiply_adds(plain, work.shape)
    net, rng = for_cpu(plain, work.engine, work.shape), np.random.default_rng(0)
    stages = net.layers.values() if net is not plain else [plain]
    rows, shape = [], work.shape
    for stage in stages:
        sliced = isinstance(stage, Sliced)
        images = min(stage.images, work.batch) if sliced else work.batch
        x = rng.standard_normal((images, *shape), dtype=np.float32)
        chain = (stage.layer if sliced else stage).layers
        timed, shape = _timed(chain, x, rng, repeats, 1 if sliced else work.threads)
        for name, (forward, backward) in timed.items():
            rows.append(
                {
                    "layer": name,
                    "images": images,
                    "forward": 1e6 * forward / images,
                    "backward": 1e6 * backward / images,
                    "multiply_adds": costs.get(name, 0),
                }
            )
    return rows


def _timed(chain: dict, x0, rng, repeats: int, threads: int):
    """Median seconds of each layer forward and backward, and the shape of the last output."""
    forward, backward = ({name: [] for name in chain} for _ in range(2))
    with threadpool_limits(threads, user_api="blas"):
        for _ in range(repeats + 1):
            x, caches = x0, []
            for name, layer in chain.items():
                started = perf_counter()
                x, cache = layer.forward(x, rng)
                forward[name].append(perf_counter() - started)
                caches.append(cache)
            dy = rng.standard_normal(x.shape, dtype=np.float32)
            for name, layer in reversed(chain.items()):
                started = perf_counter()
                dy, _ = layer.backward(dy, caches.pop())
                backward[name].append(perf_counter() - started)
    # The first time is a warm-up.
    medians = {
        name: (float(np.median(forward[name][1:])), float(np.median(backward[name][1:])))
        for name in chain
    }
    return medians, x.shape[1:]
