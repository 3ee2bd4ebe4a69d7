"""What a layer is: a function with parameters and no memory."""

import numpy as np


class Layer:
    """A function with parameters, its own undoing, and no memory.

    ``forward(x, rng=None)`` returns ``(y, cache)``: the result, and whatever undoing it needs.
    ``rng=None`` is evaluation, a NumPy generator is training.

    ``backward(dy, cache)`` takes the gradient of the loss in y and returns ``(dx, grads)``: the
    gradients in x and in each parameter, under the names they have in ``params``.

    ``params`` maps names to arrays ({} for a layer without weights). They are replaced by
    assignment and never written into, and neither is any array that a layer is handed. The dtype
    of y, dx and the gradients is that of x. Every image is treated by itself, so a batch can be
    cut anywhere.
    """

    # False on a layer that does not work out the gradient in its input: its dx is None.
    input_grad = True
    # False on a layer that talks to other processes: it wants a batch in one piece, in one thread.
    sliceable = True

    def __init__(self, **params):
        self.params = params

    def forward(self, x, rng=None):
        raise NotImplementedError(f"{type(self).__name__} has no forward yet")

    def backward(self, dy, cache):
        raise NotImplementedError(f"{type(self).__name__} has no backward yet")

    def __call__(self, x):
        """y alone, in evaluation: what a prediction needs."""
        return self.forward(x)[0]

    def __repr__(self):
        settings = (
            f"{key}={value}"
            for key, value in vars(self).items()
            if key != "params" and not key.startswith("_")
        )
        return f"{type(self).__name__}({', '.join(settings)})"


class Wrapper(Layer):
    """A layer run in another way. Its parameters, and their names, stay those of the layer."""

    def __init__(self, layer: Layer):
        self.layer = layer

    @property
    def params(self):
        return self.layer.params

    @params.setter
    def params(self, params):
        self.layer.params = params

    @property
    def input_grad(self) -> bool:
        return self.layer.input_grad


def expect(layer: Layer, x, *shape) -> None:
    """Raise ValueError unless x has this shape; a letter in it stands for any size."""
    sizes = zip(shape, x.shape, strict=False)
    fits = len(x.shape) == len(shape) and all(
        isinstance(wanted, str) or wanted == came for wanted, came in sizes
    )
    if not fits:
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"{type(layer).__name__} expects ({wanted}), got {tuple(x.shape)}")


def normal(rng: np.random.Generator, std: float, shape) -> np.ndarray:
    """Initial weights, float32, drawn from a normal distribution around 0."""
    return float(std) * rng.standard_normal(shape, dtype=np.float32)


def constant(value: float, shape) -> np.ndarray:
    """Initial biases, float32, all the same."""
    return np.full(shape, value, dtype=np.float32)


def sides(pad) -> tuple[tuple[int, int], tuple[int, int]]:
    """Padding as ((top, bottom), (left, right)), from that or from one number for every side."""
    if isinstance(pad, int):
        return (pad, pad), (pad, pad)
    (top, bottom), (left, right) = pad
    return (top, bottom), (left, right)
