"""A layer run on slices of the batch that fit the processor's cache, several at a time."""

from functools import cache, cached_property, reduce

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer, Wrapper


class Sliced(Wrapper):
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
        super().__init__(layer)
        self.images, self.threads = images, threads

    def forward(self, x, rng=None):
        slices = self._slices(x)
        rngs = rng.spawn(len(slices)) if rng and len(slices) > 1 else [rng] * len(slices)
        ys, cache = zip(*self._map(self.layer.forward, slices, rngs), strict=True)
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
        """The results in the order of the slices; the calling thread does a share of the work."""
        slices = list(zip(*columns, strict=True))

        def every(first: int) -> list:
            return [function(*slices[i]) for i in range(first, len(slices), self.threads)]

        with _products().limit(limits=1, user_api="blas"):
            others = [
                self._pool.submit(every, first)
                for first in range(1, min(self.threads, len(slices)))
            ]
            shares = [every(0), *(other.result() for other in others)]
        return [shares[i % self.threads][i // self.threads] for i in range(len(slices))]

    @cached_property
    def _pool(self):
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(self.threads - 1)

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
