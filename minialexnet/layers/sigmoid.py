"""The logistic function, the activation of the first neural networks."""

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer


class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x)), and dx = dy y (1 - y).

    Notes
    -----
    Written as (1 + tanh(x / 2)) / 2, which is the same function and cannot overflow.
    """

    def forward(self, x, rng=None):
        y = 0.5 + 0.5 * namespace(x).tanh(0.5 * x)
        return y, y

    def backward(self, dy, cache):
        return dy * cache * (1 - cache), {}
