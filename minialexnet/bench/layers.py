"""Where the time of a training step goes, layer by layer."""

from math import prod

import numpy as np
from threadpoolctl import threadpool_limits

from minialexnet.backend import Device, device, on_gpu
from minialexnet.bench.clock import clock
from minialexnet.bench.limits import copy_bandwidth, matrix_peak
from minialexnet.bench.work import Work
from minialexnet.cost import multiply_adds
from minialexnet.engine import for_cpu
from minialexnet.layers import Sliced


def layer_times(work: Work, repeats: int = 5, **sizes) -> list[dict]:
    """Where the time of a training step goes: on a CPU one slice of each stage, on one thread.

    Parameters
    ----------
    sizes : of what the limits of a GPU are measured with, see `gpu_layers`

    Returns
    -------
    a row for each layer: layer, images (in the slice), forward and backward (microseconds an image,
    medians), multiply_adds (of one image, forward); on a GPU besides what `gpu_layers` says
    """
    if on_gpu(work.device):
        return gpu_layers(work, device(work.device), repeats, **sizes)
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
        with threadpool_limits(1 if sliced else work.threads, user_api="blas"):
            timed, last = _timed(chain, x, rng, repeats, device("cpu"))
        shape = last[1:]
        rows += _rows(timed, images, costs)
    return rows


def gpu_layers(
    work: Work, place: Device, repeats: int = 5, side: int = 0, copied: int = 0
) -> list[dict]:
    """Where the time of a training step goes, every layer on the whole batch, against the limits.

    Parameters
    ----------
    place : where the network runs
    side, copied : of the matrices and the memory that the limits are measured with, see `limits`

    Returns
    -------
    a row for each layer as `layer_times` has it, with

    share_of_peak : of the multiply-adds a second of a big matrix product in this precision, that
        the layer's products by definition take, forward and backward together
    share_of_copy : of the bytes a second of copying memory, that x, y, weights and their gradients
        take when each is read or written once, forward and backward together
    """
    net, _ = work.running(place)
    network = getattr(net, "worker", net)
    if work.precision == "float16":
        half = {name: array.astype(np.float16) for name, array in net.params.items()}
        network.params = half
    plain = work.net()
    costs, kind = multiply_adds(plain, work.shape), _dtype(work)
    rng = np.random.default_rng(0)
    x = place.put(rng.standard_normal((work.batch, *work.shape), dtype=np.float32).astype(kind))
    timed, _ = _timed(network.layers, x, rng, repeats, place)
    peak, bandwidth = matrix_peak(place, work.precision, side), copy_bandwidth(place, copied)
    rows = _rows(timed, work.batch, costs)
    moved = _moved(plain, work, np.dtype(kind).itemsize)
    for row in rows:
        seconds = work.batch * (row["forward"] + row["backward"]) / 1e6
        times = 3 if plain.layers[row["layer"]].input_grad else 2
        products = times * work.batch * row["multiply_adds"]
        row["share_of_peak"] = products / seconds / peak
        row["share_of_copy"] = moved[row["layer"]] / seconds / bandwidth
    return rows


def _dtype(work: Work):
    return np.float16 if work.precision == "float16" else np.float32


def _moved(net, work: Work, itemsize: int) -> dict[str, int]:
    """Bytes that each layer has to read and write at least, forward and backward.

    Forward x, the weights and y; backward dy, x, the weights, their gradients and dx.
    """
    shapes, before, moved = net.shapes(work.shape), prod(work.shape), {}
    for name, layer in net.layers.items():
        after = prod(shapes[name])
        weights = sum(array.size for array in layer.params.values())
        given = before if layer.input_grad else 0
        numbers = work.batch * (2 * before + 2 * after + given) + 3 * weights
        moved[name], before = itemsize * numbers, after
    return moved


def _rows(timed: dict, images: int, costs: dict) -> list[dict]:
    return [
        {
            "layer": name,
            "images": images,
            "forward": 1e6 * forward / images,
            "backward": 1e6 * backward / images,
            "multiply_adds": costs.get(name, 0),
        }
        for name, (forward, backward) in timed.items()
    ]


def _timed(chain: dict, x0, rng, repeats: int, place: Device):
    """Median seconds of each layer forward and backward, and the shape of the last output."""
    rounds = []
    for _ in range(repeats + 1):
        x, caches, watch = x0, [], clock(place)
        for name, layer in chain.items():
            x, cache = layer.forward(x, rng)
            watch.lap(f"forward {name}")
            caches.append(cache)
        dy = rng.standard_normal(x.shape, dtype=np.float32)
        dy = place.put(dy.astype(x.dtype))
        watch.lap("between")
        for name, layer in reversed(chain.items()):
            dy, _ = layer.backward(dy, caches.pop())
            watch.lap(f"backward {name}")
        rounds.append(watch.seconds())
    # The first time is a warm-up.
    medians = {
        name: tuple(
            float(np.median([one[f"{way} {name}"] for one in rounds[1:]]))
            for way in ("forward", "backward")
        )
        for name in chain
    }
    return medians, x.shape
