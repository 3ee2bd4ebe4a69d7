"""Dropout.

Write `forward` and `backward` of the layer that trains another thinned network on every batch
(paper, section 4.2). `forward(x, rng)` is training if rng is a NumPy generator and evaluation if it
is None. In training each number of x is dropped for itself, with chances drawn from rng; backward
lets dy through where x was kept, with the same factor. Mind `self.inverted`.

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("dropout", Dropout)
    exercise.hint("dropout")
"""

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
        # YOUR CODE HERE
        raise NotImplementedError()

    def backward(self, dy, cache):
        # YOUR CODE HERE
        raise NotImplementedError()
