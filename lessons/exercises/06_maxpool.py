"""Max pooling.

Write `forward` and `backward` of the layer that keeps the largest number of each window, channel
by channel. AlexNet's windows overlap (3 x 3, every 2 pixels; paper, section 3.4), so a pixel may
win in several. Among equals the first in reading order counts: row by row, and from left to right.
`self.kernel`, `self.stride` and `self.ceil` are there; `self._output_shape(x)` gives the shape of
y. With ceil=True the last windows may hang over the edge: they see what there is of the picture.

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("maxpool", MaxPool)
    exercise.hint("maxpool")
"""

import numpy as np

from minialexnet.backend import namespace
from minialexnet.layers.pool import Pool
from minialexnet.windows import line_taps


class MaxPool(Pool):
    """y = the largest x in the window, channel by channel; dx is dy where the largest stood.

    The largest of a square is the largest of its rows' largest: one pass along the rows and one
    down the columns, 2 K comparisons instead of K².

    Parameters as for `Pool`.

    Notes
    -----
    Among equals the first in reading order counts, as in Caffe and PyTorch. (cuda-convnet gives dy
    to every one of them.) The cache holds which of the K places won, for each of the two passes.
    """

    def forward(self, x, rng=None):
        # YOUR CODE HERE
        raise NotImplementedError()

    def backward(self, dy, cache):
        # YOUR CODE HERE
        raise NotImplementedError()
