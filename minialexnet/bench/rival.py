"""The same network in PyTorch, weights and all: the one to measure against."""

from collections.abc import Iterator

import torch
from torch import nn

from minialexnet import layers
from minialexnet.errors import InputError
from minialexnet.weights.layout import convolutions, to_torch


def torch_network(network: layers.Network, shape) -> nn.Sequential:
    """A network as PyTorch users would write it, with the same weights.

    Parameters
    ----------
    shape : (H, W, C) of a picture

    Returns
    -------
    takes (N, C, H, W), gives (N, M)

    Raises
    ------
    InputError
        For a layer that PyTorch does not have.
    """
    modules = []
    for name, layer in network.layers.items():
        modules += _modules(name, layer)
    sequence = nn.Sequential(*modules)
    # Both have the same parameters in the same order, by other names.
    weights = to_torch(network, shape).values()
    for parameter, weight in zip(sequence.parameters(), weights, strict=True):
        parameter.data = torch.from_numpy(weight)
    return sequence


def _modules(name: str, layer) -> Iterator[nn.Module]:
    if towers := convolutions(layer):
        yield from _convolution(list(towers.values()))
        return
    match layer:
        case layers.Linear():
            yield nn.Linear(layer.features, layer.units)
        case layers.ReLU():
            yield nn.ReLU(inplace=True)
        case layers.Tanh():
            yield nn.Tanh()
        case layers.Sigmoid():
            yield nn.Sigmoid()
        case layers.MaxPool():
            yield nn.MaxPool2d(layer.kernel, layer.stride, ceil_mode=layer.ceil)
        case layers.AveragePool():
            yield nn.AvgPool2d(
                layer.kernel, layer.stride, ceil_mode=layer.ceil, count_include_pad=False
            )
        case layers.LocalResponseNorm():
            # PyTorch divides alpha by the size.
            yield nn.LocalResponseNorm(layer.size, layer.alpha * layer.size, layer.beta, layer.k)
        case layers.Dropout():
            yield nn.Dropout(layer.rate)
        case layers.Flatten():
            yield nn.Flatten()
        case _:
            raise InputError(f"{name}: PyTorch has no layer like {type(layer).__name__}")


def _convolution(towers: list) -> Iterator[nn.Module]:
    """One convolution, or several side by side: PyTorch's groups."""
    first, count = towers[0], len(towers)
    (top, bottom), (left, right) = first.pad
    pad = 0
    if top == bottom and left == right:
        pad = top, left
    else:
        yield nn.ZeroPad2d((left, right, top, bottom))
    yield nn.Conv2d(
        count * first.channels,
        count * first.filters,
        first.kernel,
        first.stride,
        pad,
        groups=count,
    )
