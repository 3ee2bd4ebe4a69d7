"""The network of the experiments: cheap enough to be trained a hundred times."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds
from minialexnet.windows import output_size

# The paper's alpha is for pixels from 0 to 255. Those of the experiments are divided by 64, and
# 64 norm(x / 64; 64^2 alpha) = norm(x; alpha).
ALPHA = 1e-4 * 64**2


def four_layers(
    rng: np.random.Generator,
    classes: int = 10,
    *,
    side: int = 32,
    width: float = 1.0,
    norm: bool = False,
    drop: float = 0.0,
    **kinds,
) -> Network:
    """Two convolutional and two fully connected layers, as in figure 1 of the paper.

    =====  ==========================  ==============  ==========
    layer  what                        output          parameters
    =====  ==========================  ==============  ==========
    input                              N, 32, 32, 3
    conv1  32 of 5 x 5, stride 2       N, 16, 16, 32        2,432
    pool1  maximum, 3 x 3, stride 2    N,  8,  8, 32
    conv2  64 of 5 x 5                 N,  8,  8, 64       51,264
    pool2  maximum, 3 x 3, stride 2    N,  4,  4, 64
    fc3    256                         N, 256             262,400
    fc4    one a class                 N, 10                2,570
    =====  ==========================  ==============  ==========

    318,666 parameters for 10 classes.

    Parameters
    ----------
    side : rows and columns of the pictures, pixels
    width : what the numbers of filters and of units are multiplied by
    norm : whether the paper's response normalisation follows both convolutional layers, with its
        alpha for pixels that are divided by 64
    drop : share of fc3's units that is dropped in training; 0 for none

    Notes
    -----
    The paper trains "a four-layer convolutional network" on CIFAR-10 and does not say which; this
    is one. The first layer has a stride, as AlexNet's has. Pooling windows hang over the edge, and
    come before the activation: of a function that never falls, the largest value is that of the
    largest input, at a quarter of the work. The initial weights are those of He et al. (2015).
    """
    k = layer_kinds(**kinds)
    few, many, units = (round(width * number) for number in (32, 64, 256))

    def he(inputs: int) -> float:
        return (2 / inputs) ** 0.5

    side = output_size(side + 2 * 2, 5, 2)
    for _ in ("pool1", "pool2"):
        side = output_size(side, 3, 2, ceil=True)
    flat = side * side * many
    table = {
        "conv1": k.Conv2D(3, few, 5, 2, pad=2, std=he(5 * 5 * 3), rng=rng, input_grad=False),
        "pool1": k.MaxPool(3, stride=2, ceil=True),
        "relu1": k.ReLU(),
        "norm1": k.LocalResponseNorm(alpha=ALPHA),
        "conv2": k.Conv2D(few, many, 5, pad=2, std=he(5 * 5 * few), rng=rng),
        "pool2": k.MaxPool(3, stride=2, ceil=True),
        "relu2": k.ReLU(),
        "norm2": k.LocalResponseNorm(alpha=ALPHA),
        "flatten": k.Flatten(),
        "fc3": k.Linear(flat, units, std=he(flat), rng=rng),
        "relu3": k.ReLU(),
        "drop3": k.Dropout(drop),
        "fc4": k.Linear(units, classes, std=he(units), rng=rng),
    }
    left_out = [*([] if norm else ["norm1", "norm2"]), *([] if drop else ["drop3"])]
    return Network({name: layer for name, layer in table.items() if name not in left_out})
