"""AlexNet in small, for pictures of 32 x 32 pixels and a laptop."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def mini(rng: np.random.Generator, classes: int = 10, **kinds) -> Network:
    """Every ingredient of AlexNet, narrow enough to train in a minute or two.

    ======  =======================  ==============  ==========
    layer   what                     output          parameters
    ======  =======================  ==============  ==========
    input                            N, 32, 32,  3
    conv1   16 of 5 x 5              N, 32, 32, 16        1,216
    pool1   3 x 3, stride 2          N, 15, 15, 16
    conv2   32 of 5 x 5, towers      N, 15, 15, 32        6,432
    pool2   3 x 3, stride 2          N,  7,  7, 32
    conv3   64 of 3 x 3              N,  7,  7, 64       18,496
    conv4   64 of 3 x 3, towers      N,  7,  7, 64       18,496
    conv5   48 of 3 x 3, towers      N,  7,  7, 48       13,872
    pool5   3 x 3, stride 2          N,  3,  3, 48
    fc6     128                      N, 128              55,424
    fc7     128                      N, 128              16,512
    fc8     one a class              N, 10                1,290
    ======  =======================  ==============  ==========

    131,738 parameters for 10 classes.

    Notes
    -----
    The initial weights are those of He et al. (2015), std = sqrt(2 / inputs of a filter), so that
    activations keep their size from layer to layer if pixels begin with a spread of about 1; the
    layers after a response normalisation, which divides by about 2^0.75, make up for that. The
    paper's 0.01 everywhere leaves a network this narrow without a signal.
    """
    k = layer_kinds(**kinds)

    def he(inputs: int) -> float:
        return (2 / inputs) ** 0.5

    def towers(channels: int, filters: int, kernel: int, std: float):
        pad = kernel // 2
        return k.Parallel(
            {
                "a": k.Conv2D(channels, filters, kernel, pad=pad, std=std, rng=rng),
                "b": k.Conv2D(channels, filters, kernel, pad=pad, std=std, rng=rng),
            }
        )

    normed = 2**0.75
    return Network(
        {
            "conv1": k.Conv2D(3, 16, 5, pad=2, std=he(5 * 5 * 3), rng=rng, input_grad=False),
            "relu1": k.ReLU(),
            "norm1": k.LocalResponseNorm(),
            "pool1": k.MaxPool(3, stride=2),
            "conv2": towers(8, 16, 5, std=normed * he(5 * 5 * 8)),
            "relu2": k.ReLU(),
            "norm2": k.LocalResponseNorm(),
            "pool2": k.MaxPool(3, stride=2),
            "conv3": k.Conv2D(32, 64, 3, pad=1, std=normed * he(3 * 3 * 32), rng=rng),
            "relu3": k.ReLU(),
            "conv4": towers(32, 32, 3, std=he(3 * 3 * 32)),
            "relu4": k.ReLU(),
            "conv5": towers(32, 24, 3, std=he(3 * 3 * 32)),
            "relu5": k.ReLU(),
            "pool5": k.MaxPool(3, stride=2),
            "flatten": k.Flatten(),
            "fc6": k.Linear(3 * 3 * 48, 128, std=he(3 * 3 * 48), rng=rng),
            "relu6": k.ReLU(),
            "drop6": k.Dropout(0.5),
            "fc7": k.Linear(128, 128, std=he(128), rng=rng),
            "relu7": k.ReLU(),
            "drop7": k.Dropout(0.5),
            "fc8": k.Linear(128, classes, std=he(128), rng=rng),
        }
    )
