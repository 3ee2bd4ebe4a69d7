"""Two towers.

Write `forward` and `backward` of the layer that runs layers side by side, each on an equal share of
the channels (the last axis): tower "a" has the first ones. The paper's network lay on two GPUs, and
its conv2, conv4 and conv5 are such towers. `self.layers` is a dict of the towers by name; their
parameters are there already, under joined names ("a.weight"). `forward` hands rng on to each tower,
in their order, and joins the outputs; the cache holds theirs. `backward` returns dx (None unless
`self.input_grad`) and the gradients under the joined names: `self._grads({"a": grads of a, ...})`
makes them.

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("two_towers", Parallel)
    exercise.hint("two_towers")
"""

from minialexnet.backend import namespace
from minialexnet.layers.composite import Composite


class Parallel(Composite):
    """Layers side by side, each on an equal share of the channels: the paper's two towers.

    With two convolutions inside, this is what other codes call a convolution in two groups.

    Raises
    ------
    ValueError
        If the channels cannot be shared out equally, or the layers' outputs differ in shape.
    """

    @property
    def input_grad(self) -> bool:
        return all(layer.input_grad for layer in self.layers.values())

    def forward(self, x, rng=None):
        # YOUR CODE HERE
        raise NotImplementedError()

    def backward(self, dy, cache):
        # YOUR CODE HERE
        raise NotImplementedError()
