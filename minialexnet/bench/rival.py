"""The same network in PyTorch, weights and all: the one to measure against."""

import numpy as np
import torch
from torch import nn

from minialexnet import layers
from minialexnet.errors import InputError


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

    Notes
    -----
    PyTorch flattens channel by channel, so the features of the first fully connected layer are
    put in its order. Its dropout scales up in training, ours down in evaluation: the weights behind
    it are scaled instead.
    """
    shapes, before = network.shapes(shape), shape
    modules, maps, kept = [], None, 1.0
    for name, layer in network.layers.items():
        match layer:
            case layers.Flatten():
                maps = before
            case layers.Dropout():
                kept *= 1 - layer.rate
        if isinstance(layer, layers.Linear):
            modules.append(_linear(layer, maps, kept))
            maps, kept = None, 1.0
        else:
            modules += _modules(name, layer)
        before = shapes[name]
    return nn.Sequential(*modules)


def _modules(name: str, layer) -> list[nn.Module]:
    match layer:
        case layers.Conv2D():
            return _convolution([layer])
        case layers.Parallel() if all(
            isinstance(tower, layers.Conv2D) for tower in layer.layers.values()
        ):
            return _convolution(list(layer.layers.values()))
        case layers.ReLU():
            return [nn.ReLU(inplace=True)]
        case layers.Tanh():
            return [nn.Tanh()]
        case layers.Sigmoid():
            return [nn.Sigmoid()]
        case layers.MaxPool():
            return [nn.MaxPool2d(layer.kernel, layer.stride, ceil_mode=layer.ceil)]
        case layers.AveragePool():
            return [
                nn.AvgPool2d(
                    layer.kernel, layer.stride, ceil_mode=layer.ceil, count_include_pad=False
                )
            ]
        case layers.LocalResponseNorm():
            # PyTorch divides alpha by the size.
            return [nn.LocalResponseNorm(layer.size, layer.alpha * layer.size, layer.beta, layer.k)]
        case layers.Dropout():
            return [nn.Dropout(layer.rate)]
        case layers.Flatten():
            return [nn.Flatten()]
    raise InputError(f"{name}: PyTorch has no layer like {type(layer).__name__}")


def _convolution(towers: list) -> list[nn.Module]:
    """One convolution, or several side by side: PyTorch's groups."""
    first, count = towers[0], len(towers)
    module = nn.Conv2d(
        count * first.channels, count * first.filters, first.kernel, first.stride, groups=count
    )
    weight = np.concatenate([tower.params["weight"] for tower in towers], axis=3)
    _give(module, weight.transpose(3, 2, 0, 1), [tower.params["bias"] for tower in towers])
    (top, bottom), (left, right) = first.pad
    if top == bottom and left == right:
        module.padding = (top, left)
        return [module]
    return [nn.ZeroPad2d((left, right, top, bottom)), module]


def _linear(layer, maps, kept: float) -> nn.Linear:
    module = nn.Linear(layer.features, layer.units)
    weight = np.float32(kept) * layer.params["weight"]
    if maps is not None:
        weight = weight.reshape(*maps, layer.units).transpose(2, 0, 1, 3)
    _give(module, weight.reshape(layer.features, layer.units).T, [layer.params["bias"]])
    return module


def _give(module, weight: np.ndarray, biases: list) -> None:
    module.weight.data = torch.from_numpy(np.ascontiguousarray(weight))
    module.bias.data = torch.from_numpy(np.concatenate(biases))
