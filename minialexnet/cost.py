"""What a network costs by definition: arithmetic and memory, layer by layer."""

from dataclasses import dataclass

import numpy as np

from minialexnet.layers import Conv2D, LocallyConnected2D, Network, Parallel

FLOAT = 4  # bytes of a float32


@dataclass(frozen=True)
class Cost:
    """One layer's row, for one picture.

    Parameters
    ----------
    name, kind : of the layer
    output : the shape of its output, without N
    parameters : how many numbers it learns
    multiply_adds : forward
    activation : bytes of its output
    unrolled : bytes of the matrix that windows are unrolled into (im2col), 0 without windows
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    multiply_adds: int
    activation: int
    unrolled: int


def costs(network: Network, shape) -> list[Cost]:
    """A row for each layer.

    Parameters
    ----------
    shape : (H, W, C) of a picture
    """
    shapes, products = network.shapes(shape), multiply_adds(network, shape)
    return [
        Cost(
            name,
            _kind(layer),
            shapes[name],
            sum(array.size for array in layer.params.values()),
            products.get(name, 0),
            FLOAT * int(np.prod(shapes[name])),
            _unrolled(layer, shapes[name]),
        )
        for name, layer in network.layers.items()
    ]


def total(rows: list[Cost]) -> Cost:
    """The rows added up, as a row named "in all"."""
    columns = ("parameters", "multiply_adds", "activation", "unrolled")
    return Cost("in all", "", (), *(sum(getattr(row, name) for row in rows) for name in columns))


def _towers(layer) -> list:
    return list(layer.layers.values()) if isinstance(layer, Parallel) else [layer]


def _kind(layer) -> str:
    """What the layer is, and the numbers that its output's shape does not show."""
    first, *others = towers = _towers(layer)
    kernel = getattr(first, "kernel", None)
    about = type(first).__name__
    if kernel:
        about += f" {kernel} x {kernel}"
        about += f", stride {first.stride}" if first.stride > 1 else ""
    return f"{len(towers)} towers of {about}" if others else about


def _unrolled(layer, output) -> int:
    return sum(
        FLOAT * output[0] * output[1] * int(np.prod(tower.params["weight"].shape[-4:-1]))
        for tower in _towers(layer)
        if isinstance(tower, Conv2D | LocallyConnected2D)
    )


def multiply_adds(network: Network, shape) -> dict[str, int]:
    """What each layer's matrix products cost by definition, for one picture forward.

    Parameters
    ----------
    shape : (H, W, C) of a picture

    Returns
    -------
    {layer: multiply-adds}, of the layers that have a weight. Winograd's convolution gets by with
    fewer; a share of the peak beyond what products reach is due to that.
    """
    shapes, found = network.shapes(shape), {}
    for name, layer in network.layers.items():
        weights = [tower.params["weight"] for tower in _towers(layer) if "weight" in tower.params]
        if weights:
            # Each output takes one for every weight of its filter: (K, K, C) of them, or (D,).
            inputs = np.prod(weights[0].shape[-4:-1])
            found[name] = int(np.prod(shapes[name]) * inputs)
    return found


def training_multiply_adds(network: Network, shape) -> int:
    """The same for a whole training step: forward, and twice that backward but for the pixels."""
    costs = multiply_adds(network, shape)
    return sum((3 if network.layers[name].input_grad else 2) * n for name, n in costs.items())
