"""A layer run on slices of the batch that fit the processor's cache, several at a time."""

from functools import cache, reduce

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer
from minialexnet.layers.composite import Network
from minialexnet.layers.flatten import Flatten


class Sliced(Layer):
    """The same layer on a few images at a time, on several threads.

    A whole batch of feature maps does not fit into a processor's cache, a few images do, and since
    layers have no memory, threads may share one. Outputs are joined and gradients added in the
    order of the slices, and each slice has a generator of its own, so results depend neither on
    the number of threads nor on their timing. It adds no name of its own to the parameters.

    Parameters
    ----------
    layer : the layer, most often a `Network`
    images : how many images a slice has (the last may have fewer)
    threads : how many slices are worked on at a time

    Notes
    -----
    Inside, a matrix product has one thread (set through threadpoolctl): on small matrices the
    threads of a product cost more than they bring. On a GPU nothing is sliced.
    """

    def __init__(self, layer: Layer, images: int, threads: int = 1):
        if images < 1 or threads < 1:
            raise ValueError(f"Sliced expects images and threads >= 1, got {images} and {threads}")
        self.layer, self.images, self.threads = layer, images, threads

    @property
    def params(self):
        return self.layer.params

    @params.setter
    def params(self, params):
        self.layer.params = params

    @property
    def input_grad(self) -> bool:
        return self.layer.input_grad

    def forward(self, x, rng=None):
        slices = self._slices(x)
        rngs = rng.spawn(len(slices)) if rng else [None] * len(slices)
        pairs = self._map(self.layer.forward, slices, rngs)
        ys, cache = zip(*pairs, strict=True)
        return namespace(*ys).concatenate(ys), list(cache)

    def backward(self, dy, cache):
        results = self._map(self.layer.backward, self._slices(dy), cache)
        cache.clear()
        dxs, grads = zip(*results, strict=True)
        dx = namespace(*dxs).concatenate(dxs) if self.input_grad else None
        return dx, {name: _sum([part[name] for part in grads]) for name in grads[0]}

    def __call__(self, x):
        ys = self._map(self.layer, self._slices(x))
        return namespace(*ys).concatenate(ys)

    def _map(self, function, *columns) -> list:
        from concurrent.futures import ThreadPoolExecutor

        with (
            _products().limit(limits=1, user_api="blas"),
            ThreadPoolExecutor(self.threads) as threads,
        ):
            return list(threads.map(function, *columns))

    def _slices(self, x):
        return [x[start : start + self.images] for start in range(0, len(x), self.images)]


def _sum(arrays):
    return reduce(lambda total, array: total + array, arrays)


@cache
def _products():
    """The switch for the number of threads inside a matrix product."""
    # Imported at the first use: a browser's Python has no threads, and there nobody slices.
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def sliced(network: Network, images: int, threads: int = 1) -> Network:
    """The same network with its layers before `Flatten` sliced, or all if it has none.

    The fully connected layers stay whole: their weights are many and want a big batch. The layers
    are shared with the network handed in, and so are their parameters and their names.

    Parameters
    ----------
    images, threads : as for `Sliced`
    """
    layers = list(network.layers.items())
    flatten = [*(isinstance(layer, Flatten) for _, layer in layers), True].index(True)
    body = Sliced(Network(dict(layers[:flatten])), images, threads)
    return Network({"": body, **dict(layers[flatten:])})
