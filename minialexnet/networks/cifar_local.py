"""The networks of cuda-convnet for CIFAR-10 whose upper filters are not shared between places."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def cifar_13pct(rng: np.random.Generator, classes: int = 10, **kinds) -> Network:
    """The network that reached 13 % error on CIFAR-10 in 25 minutes, on crops of 24 x 24 pixels.

    ======  ==========================  ==============  ==========
    layer   what                        output          parameters
    ======  ==========================  ==============  ==========
    input                               N, 24, 24, 3
    conv1   64 of 5 x 5                 N, 24, 24, 64        4,864
    pool1   maximum, 3 x 3, stride 2    N, 12, 12, 64
    conv2   64 of 5 x 5                 N, 12, 12, 64      102,464
    pool2   maximum, 3 x 3, stride 2    N,  6,  6, 64
    local3  32 of 3 x 3, unshared       N,  6,  6, 32      664,704
    local4  32 of 3 x 3, unshared       N,  6,  6, 32      332,928
    fc5     one a class                 N, 10               11,530
    ======  ==========================  ==============  ==========

    1,116,490 parameters for 10 classes.

    Notes
    -----
    cuda-convnet's layers-conv-local-13pct. Its pooling windows hang over the edge. The paper's
    "13 % without normalisation" on CIFAR-10 (section 3.3) is this one.
    """
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(3, 64, kernel=5, pad=2, std=0.0001, rng=rng, input_grad=False),
            "relu1": k.ReLU(),
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "conv2": k.Conv2D(64, 64, kernel=5, pad=2, rng=rng),
            "relu2": k.ReLU(),
            "pool2": k.MaxPool(3, stride=2, ceil=True),
            "local3": k.LocallyConnected2D(6, 6, 64, 32, kernel=3, pad=1, std=0.04, rng=rng),
            "relu3": k.ReLU(),
            "local4": k.LocallyConnected2D(6, 6, 32, 32, kernel=3, pad=1, std=0.04, rng=rng),
            "relu4": k.ReLU(),
            "flatten": k.Flatten(),
            "fc5": k.Linear(6 * 6 * 32, classes, rng=rng),
        }
    )


def cifar_11pct(rng: np.random.Generator, classes: int = 10, **kinds) -> Network:
    """The network that reached 11 % error on CIFAR-10 in 75 minutes, on crops of 24 x 24 pixels.

    ======  ==========================  ==============  ==========
    layer   what                        output          parameters
    ======  ==========================  ==============  ==========
    input                               N, 24, 24, 3
    conv1   64 of 5 x 5                 N, 24, 24, 64        4,864
    pool1   maximum, 3 x 3, stride 2    N, 12, 12, 64
    norm1   over 9 maps                 N, 12, 12, 64
    conv2   64 of 5 x 5                 N, 12, 12, 64      102,464
    norm2   over 9 maps                 N, 12, 12, 64
    pool2   maximum, 3 x 3, stride 2    N,  6,  6, 64
    local3  64 of 3 x 3, unshared       N,  6,  6, 64    1,329,408
    local4  32 of 3 x 3, unshared       N,  6,  6, 32      664,704
    fc5     one a class                 N, 10               11,530
    ======  ==========================  ==============  ==========

    2,112,970 parameters for 10 classes.

    Notes
    -----
    cuda-convnet's layers-conv-local-11pct. The paper's "11 % with normalisation" on CIFAR-10
    (section 3.3) is this one, but it differs from the network of 13 % in more than the two norms:
    local3 is twice as wide, and training takes three times as long.
    """
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(3, 64, kernel=5, pad=2, std=0.0001, rng=rng, input_grad=False),
            "relu1": k.ReLU(),
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "norm1": k.LocalResponseNorm(9, k=1, alpha=0.001 / 9, beta=0.75),
            "conv2": k.Conv2D(64, 64, kernel=5, pad=2, rng=rng),
            "relu2": k.ReLU(),
            "norm2": k.LocalResponseNorm(9, k=1, alpha=0.001 / 9, beta=0.75),
            "pool2": k.MaxPool(3, stride=2, ceil=True),
            "local3": k.LocallyConnected2D(6, 6, 64, 64, kernel=3, pad=1, std=0.04, rng=rng),
            "relu3": k.ReLU(),
            "local4": k.LocallyConnected2D(6, 6, 64, 32, kernel=3, pad=1, std=0.04, rng=rng),
            "relu4": k.ReLU(),
            "flatten": k.Flatten(),
            "fc5": k.Linear(6 * 6 * 32, classes, rng=rng),
        }
    )
