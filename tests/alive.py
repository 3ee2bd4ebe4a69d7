"""Networks whose every layer says something: weights drawn so that signals keep their size, and
biases that are not 0, so that two that are mixed up show."""

import numpy as np

from minialexnet import networks
from minialexnet.layers import Linear, Network


def alive(net: Network, seed=0) -> Network:
    """The same network with new weights (He et al., 2015) and biases."""
    rng = np.random.default_rng(seed)
    params = {}
    for name, array in net.params.items():
        drawn = rng.standard_normal(array.shape, dtype=np.float32)
        if name.endswith("bias"):
            params[name] = np.float32(0.3) * drawn
        else:
            # A locally connected layer has weights for each of the places, the first two axes.
            inputs = np.prod(array.shape[2 * (array.ndim == 6) : -1])
            params[name] = np.float32((2 / inputs) ** 0.5) * drawn
    net.params = params
    return net


def narrow(features, units, **settings) -> Linear:
    """A fully connected layer, where the ImageNet networks have 4096 units with 24 instead."""
    features, units = (24 if size == 4096 else size for size in (features, units))
    return Linear(features, units, **settings)


def network(name: str, **kinds) -> Network:
    """One of the library's, alive; the large ones with few fully connected units."""
    return alive(getattr(networks, name)(np.random.default_rng(0), Linear=narrow, **kinds))


def pictures(count: int, height: int, width: int, seed=1) -> np.ndarray:
    """Noise: (N, H, W, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def difference(ours, theirs) -> float:
    """The largest difference, as a share of the largest number."""
    assert ours.shape == theirs.shape
    return float(abs(ours - theirs).max() / abs(theirs).max())
