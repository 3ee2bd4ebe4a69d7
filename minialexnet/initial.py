"""Initial weights by name: what decides whether an AlexNet begins to learn at all."""

import numpy as np

from minialexnet.layers import Linear, Network
from minialexnet.layers.base import constant, normal

TABLE = "table"
INITIALISATIONS = (TABLE, "paper", "as_run", "he", "lsuv")

# Layers whose biases begin at 1 (paper, section 5), besides the hidden fully connected ones.
ONES = ("conv2", "conv4", "conv5")
# Layers whose weights begin three times as large in the released code as the paper says.
LARGER = ("conv3", "conv4", "conv5")

# LSUV stops when a layer's variance is this close to 1, or after so many corrections.
TOLERANCE = 0.02
CORRECTIONS = 10


def initialised(name: str, net: Network, rng: np.random.Generator, x) -> dict:
    """The parameters that a network begins with.

    ========  =====================================================================================
    table     those of the network's own table
    paper     weights of standard deviation 0.01; biases 1 in conv2, conv4, conv5 and the hidden
              fully connected layers, 0 elsewhere (section 5)
    as_run    the same with 0.03 in conv3, conv4 and conv5 (the released code, layers-145)
    he        weights of standard deviation sqrt(2 / inputs of a filter), biases 0 (He et al., 2015)
    lsuv      orthonormal weights, scaled layer by layer until the variance of each layer's output
              is 1 on real pictures, biases 0 (Mishkin and Matas, 2016)
    ========  =====================================================================================

    Parameters
    ----------
    name : one of INITIALISATIONS
    net : any network with its parameters on the host; it stays as it is
    rng : draws the weights
    x : (N, H, W, 3), pictures as the network sees them; only "lsuv" looks at them

    Returns
    -------
    {name: array}, float32
    """
    if name == TABLE:
        return net.params
    if name == "lsuv":
        return _lsuv(net, rng, x)
    params = {}
    for key, array in net.params.items():
        layer, _, kind = key.rpartition(".")
        if kind == "weight":
            params[key] = normal(rng, _std(name, layer, array), array.shape)
        else:
            params[key] = constant(0 if name == "he" else _bias(net, layer), array.shape)
    return params


def inputs(weight) -> int:
    """How many inputs one filter has: K K C of (..., K, K, C, O), or D of (D, M)."""
    return int(np.prod(weight.shape[-4:-1]))


def _std(name: str, layer: str, weight) -> float:
    if name == "he":
        return (2 / inputs(weight)) ** 0.5
    return 0.03 if name == "as_run" and layer.partition(".")[0] in LARGER else 0.01


def _bias(net: Network, layer: str) -> float:
    dense = [name for name, one in net.layers.items() if isinstance(one, Linear)]
    return 1.0 if layer in dense[:-1] or layer.partition(".")[0] in ONES else 0.0


def _lsuv(net: Network, rng: np.random.Generator, x) -> dict:
    params = {}
    for name, layer in net.layers.items():
        before, weights = layer.params, [key for key in layer.params if key.endswith("weight")]
        drawn = {key: constant(0, array.shape) for key, array in before.items()}
        drawn |= {key: _orthonormal(rng, before[key].shape) for key in weights}
        try:
            layer.params = drawn
            for _ in range(CORRECTIONS if weights else 0):
                # Towers side by side each make an equal share of the channels.
                outputs = np.split(layer(x), len(weights), axis=-1)
                variances = [float(y.var(dtype=np.float64)) for y in outputs]
                if all(abs(v - 1) < TOLERANCE or v == 0 for v in variances):
                    break
                for key, variance in zip(weights, variances, strict=True):
                    drawn[key] = drawn[key] / np.float32(variance**0.5 if variance else 1)
                layer.params = drawn
            x = layer(x)
        finally:
            layer.params = before
        params |= {f"{name}.{key}": array for key, array in drawn.items()}
    return params


def _orthonormal(rng: np.random.Generator, shape) -> np.ndarray:
    """Filters at right angles to each other, as far as there is room for them; float32."""
    *places, columns = (*shape[:-4], int(np.prod(shape[-4:-1])), shape[-1])
    drawn = rng.standard_normal((*places, columns), dtype=np.float32)
    tall = drawn if places[-1] >= columns else drawn.swapaxes(-1, -2)
    q, _ = np.linalg.qr(tall)
    return (q if tall is drawn else q.swapaxes(-1, -2)).reshape(shape).astype(np.float32)
