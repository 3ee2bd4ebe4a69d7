"""Layers made of layers: one after the other, and side by side."""

from collections.abc import Mapping
from contextlib import contextmanager
from textwrap import indent

import numpy as np

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer


class Composite(Layer):
    """Named layers whose parameters go by joined names: "conv2.a.weight".

    Raises
    ------
    ValueError
        If parameters are assigned that are not just the ones that it has.
    """

    def __init__(self, layers: Mapping[str, Layer]):
        self.layers = dict(layers)

    @property
    def params(self) -> dict:
        return {
            self._joined(name, inner): array
            for name, layer in self.layers.items()
            for inner, array in layer.params.items()
        }

    @params.setter
    def params(self, params: Mapping) -> None:
        if params.keys() != (mine := self.params.keys()):
            odd = ", ".join(sorted(params.keys() ^ mine))
            raise ValueError(f"expected the parameters {', '.join(mine)}; the odd ones are {odd}")
        for name, layer in self.layers.items():
            layer.params = {inner: params[self._joined(name, inner)] for inner in layer.params}

    def _grads(self, by_layer: Mapping[str, dict]) -> dict:
        return {
            self._joined(name, inner): grad
            for name in self.layers
            for inner, grad in by_layer[name].items()
        }

    def _joined(self, name: str, inner: str) -> str:
        return f"{name}.{inner}"

    def __repr__(self):
        lines = (f"{name}: {layer!r}" for name, layer in self.layers.items())
        return f"{type(self).__name__}(\n{indent(chr(10).join(lines), '  ')}\n)"


class Network(Composite):
    """Layers one after the other, in the order of the mapping.

    ``net.layers["relu1"] = MyReLU()`` puts another layer in a place. The cache is the list of the
    layers' caches, and backward empties it as it goes, so that memory is free again early.
    """

    @property
    def input_grad(self) -> bool:
        return next(iter(self.layers.values())).input_grad

    def forward(self, x, rng=None):
        cache = []
        for name, layer in self.layers.items():
            with _within(name):
                x, undo = layer.forward(x, rng)
            cache.append(undo)
        return x, cache

    def backward(self, dy, cache):
        grads = {}
        for name, layer in reversed(self.layers.items()):
            with _within(name):
                dy, grads[name] = layer.backward(dy, cache.pop())
        return dy, self._grads(grads)

    def __call__(self, x):
        for name, layer in self.layers.items():
            with _within(name):
                x = layer(x)
        return x

    def shapes(self, shape) -> dict[str, tuple[int, ...]]:
        """The shape of each layer's output for one picture, by name.

        Parameters
        ----------
        shape : (H, W, C) of the picture; the parameters are on the host
        """
        x, found = np.zeros((1, *shape), np.float32), {}
        for name, layer in self.layers.items():
            with _within(name):
                x = layer(x)
            found[name] = x.shape[1:]
        return found


class Stages(Network):
    """A network cut into stages, whose own names are no part of the parameters' names."""

    def _joined(self, name: str, inner: str) -> str:
        return inner


class Parallel(Composite):
    """Layers side by side, each on an equal share of the channels: the paper's two towers.

    With two convolutions inside, this is what other codes call a convolution in two groups.

    Raises
    ------
    ValueError
        If the channels cannot be shared out equally, or the layers' outputs differ in shape.
    """

    @property
    def input_grad(self) -> bool:
        return all(layer.input_grad for layer in self.layers.values())

    def forward(self, x, rng=None):
        pairs = [
            layer.forward(share, rng)
            for layer, share in zip(self.layers.values(), self._shares(x), strict=True)
        ]
        ys, cache = zip(*pairs, strict=True)
        return self._joined_outputs(ys), list(cache)

    def backward(self, dy, cache):
        dxs, grads = [], {}
        for (name, layer), share in zip(self.layers.items(), self._shares(dy), strict=True):
            dx, grads[name] = layer.backward(share, cache.pop(0))
            dxs.append(dx)
        dx = namespace(*dxs).concatenate(dxs, axis=-1) if self.input_grad else None
        return dx, self._grads(grads)

    def __call__(self, x):
        ys = [
            layer(share) for layer, share in zip(self.layers.values(), self._shares(x), strict=True)
        ]
        return self._joined_outputs(ys)

    def _joined_outputs(self, ys):
        if len({y.shape for y in ys}) > 1:
            shapes = " and ".join(str(y.shape) for y in ys)
            raise ValueError(f"Parallel expects outputs of one shape from its layers, got {shapes}")
        return namespace(*ys).concatenate(ys, axis=-1)

    def _shares(self, x):
        if x.shape[-1] % len(self.layers):
            raise ValueError(
                f"Parallel cannot share {x.shape[-1]} channels among {len(self.layers)} layers"
            )
        return namespace(x).split(x, len(self.layers), axis=-1)


@contextmanager
def _within(name: str):
    """Adds to an error in which layer it happened."""
    try:
        yield
    except Exception as error:
        error.add_note(f'in the layer "{name}"')
        raise
