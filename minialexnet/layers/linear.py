"""The fully connected layer: every output sees every input."""

import numpy as np

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer, constant, expect, normal


class Linear(Layer):
    """y = x weight + bias.

    dx = dy weightᵀ, dweight = xᵀ dy, dbias = the sum of dy over the batch.

    Parameters
    ----------
    features : D, features in
    units : features out, O
    bias : initial bias; the paper sets 1 in the hidden layers, 0 in the last
    std : standard deviation of the initial weights, 0.01 in the paper
    rng : the generator that draws them

    params: weight (D, O), bias (O,). x is (N, D), y is (N, O).
    """

    def __init__(
        self,
        features: int,
        units: int,
        *,
        bias: float = 0.0,
        std: float = 0.01,
        rng: np.random.Generator,
    ):
        super().__init__(
            weight=normal(rng, std, (features, units)),
            bias=constant(bias, units),
        )
        self.features, self.units = features, units

    def forward(self, x, rng=None):
        expect(self, x, "N", self.features)
        namespace(x, self.params["weight"])
        return x @ self.params["weight"] + self.params["bias"], x

    def backward(self, dy, cache):
        x = cache
        return dy @ self.params["weight"].T, {"weight": x.T @ dy, "bias": dy.sum(axis=0)}
