"""Dropout: training a different thinned network on every batch (paper, section 4.2)."""

import numpy as np

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer


class Dropout(Layer):
    """In training y = x with each feature set to 0 at a chance; in evaluation y = (1 - rate) x.

    Parameters
    ----------
    rate : share of the features that is dropped, 0 <= rate < 1
    inverted : True scales the other way round: in training the features that are kept become
        x / (1 - rate), and in evaluation y = x

    Raises
    ------
    ValueError
        If rate lies outside.

    Notes
    -----
    The paper scales in evaluation, and so does this layer if it is not told otherwise. Caffe,
    Chainer and PyTorch scale in training ("inverted dropout"). A network of the one kind becomes
    one of the other when the weights behind the dropout are multiplied by 1 - rate; but the same
    initial weights and learning rate are then not the same training.
    """

    def __init__(self, rate: float = 0.5, inverted: bool = False):
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout expects a rate from 0 to below 1, got {rate}")
        super().__init__()
        self.rate, self.inverted = float(rate), inverted

    def forward(self, x, rng=None):
        if rng is None:
            kept = 1.0 if self.inverted else 1 - self.rate
        else:
            # Drawn on the host, so that a GPU drops the same features for the same seed.
            kept = namespace(x).asarray(rng.random(x.shape, dtype=np.float32) >= self.rate)
            if self.inverted:
                kept = kept.astype(x.dtype) / (1 - self.rate)
        return x * kept, kept

    def backward(self, dy, cache):
        return dy * cache, {}
