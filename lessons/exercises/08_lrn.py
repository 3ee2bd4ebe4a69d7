"""Local response normalisation.

Write `forward` and `backward` of the layer in which neighbours compete (paper, section 3.3): each
number is divided by the strength of those at the same place in the channels around it. The window
is cut off at the first and the last channel, and may be wider than there are channels. alpha
multiplies the plain sum, as the paper's formula says (famous codes divide it by n).

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("lrn", LocalResponseNorm)
    exercise.hint("lrn")
"""

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer


class LocalResponseNorm(Layer):
    """Each feature divided by the strength of its neighbours across the channels.

    y[c] = x[c] s[c]^-beta  with  s[c] = k + alpha (sum of x[j]² for the channels j around c)
    dx[j] = dy[j] s[j]^-beta - 2 alpha beta x[j] (sum of dy[c] x[c] s[c]^(-beta-1), c around j)

    Parameters
    ----------
    size : n, how many channels the sum runs over; it is cut off at the first and last channel. An
        even size has one more below than above: c - size//2 ... c - size//2 + size - 1.
    k, alpha, beta : the paper's constants

    x is (..., C), y has its shape.

    Notes
    -----
    Here alpha multiplies the plain sum, as the paper's formula says. cuda-convnet, and after it
    Caffe and PyTorch, divide alpha by n first: their alpha 1e-4 at n = 5 is 2e-5 here, and that is
    what the published network ran with. Caffe also has k = 1.
    """

    def __init__(self, size: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75):
        super().__init__()
        self.size, self.k, self.alpha, self.beta = size, float(k), float(alpha), float(beta)

    def forward(self, x, rng=None):
        # YOUR CODE HERE
        raise NotImplementedError()

    def backward(self, dy, cache):
        # YOUR CODE HERE
        raise NotImplementedError()
