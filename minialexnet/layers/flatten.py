"""From feature maps to feature vectors."""

from minialexnet.layers.base import Layer


class Flatten(Layer):
    """y = x with everything but the batch in one axis: (N, H, W, C) to (N, H W C).

    Notes
    -----
    The channels change fastest. Codes that keep (N, C, H, W) flatten in another order, which
    permutes the rows of the next layer's weights.
    """

    def forward(self, x, rng=None):
        return x.reshape(len(x), -1), x.shape

    def backward(self, dy, cache):
        return dy.reshape(cache), {}
