"""The fully connected layer.

Write `forward` and `backward` of the layer in which every output sees every input. The weights
are there (`self.params["weight"]` and `["bias"]`). `forward` returns y and the cache, `backward`
returns dx and the gradients of the parameters as {"weight": dweight, "bias": dbias}.

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("linear", Linear)
    exercise.hint("linear")
"""

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
        # YOUR CODE HERE
        raise NotImplementedError()

    def backward(self, dy, cache):
        # YOUR CODE HERE
        raise NotImplementedError()
