"""The rectified linear unit.

Write `forward` and `backward` of the layer that made deep networks quick to train (paper,
section 3.1). `forward` returns y and whatever `backward` will need of x (the cache); `backward`
gets dy, the gradient of the loss in y, and that cache, and returns dx and the gradients of the
parameters: {}, for a ReLU has none.

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("relu", ReLU)
    exercise.hint("relu")
"""

from minialexnet.backend import namespace
from minialexnet.layers.base import Layer


class ReLU(Layer):
    """y = max(x, 0), and dx = dy where x > 0, 0 elsewhere (at x = 0 too)."""

    def forward(self, x, rng=None):
        # YOUR CODE HERE
        raise NotImplementedError()

    def backward(self, dy, cache):
        # YOUR CODE HERE
        raise NotImplementedError()
