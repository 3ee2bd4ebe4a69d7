"""A small network with one layer of every kind, to put a student's layer into."""

import numpy as np

from minialexnet.exercise.base import Failed
from minialexnet.layers import Network
from minialexnet.loss import softmax_cross_entropy
from minialexnet.networks.kinds import layer_kinds
from minialexnet.optim import SGD

STEPS = 4
SHAPE, CLASSES = (4, 9, 7, 3), 3


def small(rng: np.random.Generator, **kinds) -> Network:
    """AlexNet's kinds of layer on pictures of 9 x 7 pixels."""
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(3, 4, 3, pad=1, std=0.3, rng=rng, input_grad=False),
            "relu1": k.ReLU(),
            "norm1": k.LocalResponseNorm(alpha=0.1),
            "pool1": k.MaxPool(3, stride=2),
            "conv2": k.Parallel(
                {
                    "a": k.Conv2D(2, 3, 3, pad=1, std=0.4, rng=rng),
                    "b": k.Conv2D(2, 3, 3, pad=1, std=0.4, rng=rng),
                }
            ),
            "relu2": k.ReLU(),
            "pool2": k.AveragePool(3, stride=2, ceil=True),
            "flatten": k.Flatten(),
            "drop3": k.Dropout(0.5),
            "fc3": k.Linear(2 * 1 * 6, CLASSES, std=0.5, rng=rng),
        }
    )


def losses(seed: int, loss=softmax_cross_entropy, sgd=SGD, see=None, **kinds) -> list[float]:
    """The loss before each of a few steps of training, and after the last.

    Parameters
    ----------
    seed : of the pictures, the weights and the dropped features
    loss, sgd : to use instead of the library's
    see : see(pictures, step) is what the network is shown of them; all if None
    kinds : layers to use instead of the library's
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(SHAPE, dtype=np.float32)
    labels = rng.integers(CLASSES, size=len(x))
    net, optimiser = small(rng, **kinds), sgd(momentum=0.5)
    found = []
    for step in range(STEPS):
        seen = x if see is None else see(x, step)
        scores, cache = net.forward(seen, np.random.default_rng([seed, step]))
        value, dscores = loss(scores, labels)
        found.append(float(value))
        _, grads = net.backward(dscores, cache)
        net.params = optimiser.step(net.params, grads, 0.1)
    found.append(float(loss(net(x), labels)[0]))
    return found


def compare_losses(seed: int, right: list[float] | None = None, **theirs) -> None:
    """Raise `Failed` unless the losses are those of the library, to the digits float32 has.

    Parameters
    ----------
    right : what they should be, if not the library's
    theirs : as for `losses`
    """
    right = losses(seed) if right is None else right
    came = losses(seed, **theirs)
    for step, (ours, yours) in enumerate(zip(right, came, strict=True)):
        if not abs(ours - yours) <= 1e-3 * max(1.0, abs(ours)):
            raise Failed(
                f"in a small network the loss after {step} steps is {yours:.5g}, with the library's"
                f" answer {ours:.5g} (before the first step {came[0]:.5g} and {right[0]:.5g})"
            )
