"""The rectified linear unit, which made deep networks quick to train (paper, section 3.1)."""

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer


class ReLU(Layer):
    """y = max(x, 0), and dx = dy where x > 0, 0 elsewhere (at x = 0 too)."""

    def forward(self, x, rng=None):
        return namespace(x).maximum(x, 0), x > 0

    def backward(self, dy, cache):
        return dy * cache, {}
