"""Average pooling.

Write `forward` and `backward` of the layer that takes the mean of each window, channel by channel.
`self.kernel`, `self.stride` and `self.ceil` are there; `self._output_shape(x)` gives the shape of
y. With ceil=True the last windows may hang over the edge: then the mean is over the pixels that
the window covers, not over K².

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("avgpool", AveragePool)
    exercise.hint("avgpool")
"""

from minialexnet.backend import namespace
from minialexnet.layers.pool import Pool
from minialexnet.windows import taps


class AveragePool(Pool):
    """y = the mean of x in the window, channel by channel; dy is shared out in equal parts.

    Parameters as for `Pool`.

    Notes
    -----
    A window that hangs over the edge averages over the pixels that it covers, as in cuda-convnet
    (conv_util.cuh); so does PyTorch's, rounding up and without padding.
    """

    def forward(self, x, rng=None):
        # YOUR CODE HERE
        raise NotImplementedError()

    def backward(self, dy, cache):
        # YOUR CODE HERE
        raise NotImplementedError()
