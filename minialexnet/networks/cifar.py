"""The networks of cuda-convnet for CIFAR-10."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def cifar_80sec(rng: np.random.Generator, classes: int = 10, **kinds) -> Network:
    """The network that reached 26 % error on CIFAR-10 in 80 seconds on a GPU of 2010.

    =====  ==========================  ==============  ==========
    layer  what                        output          parameters
    =====  ==========================  ==============  ==========
    input                              N, 32, 32, 3
    conv1  32 of 5 x 5                 N, 32, 32, 32        2,432
    pool1  maximum, 3 x 3, stride 2    N, 16, 16, 32
    conv2  32 of 5 x 5                 N, 16, 16, 32       25,632
    pool2  average, 3 x 3, stride 2    N,  8,  8, 32
    conv3  64 of 5 x 5                 N,  8,  8, 64       51,264
    pool3  average, 3 x 3, stride 2    N,  4,  4, 64
    fc4    64                          N, 64               65,600
    fc5    one a class                 N, 10                  650
    =====  ==========================  ==============  ==========

    145,578 parameters for 10 classes.

    Notes
    -----
    cuda-convnet's layers-80sec. Its pooling windows hang over the edge. It pools before the first
    ReLU, which is the same as after and four times less work.
    """
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(3, 32, kernel=5, pad=2, std=0.0001, rng=rng, input_grad=False),
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "relu1": k.ReLU(),
            "conv2": k.Conv2D(32, 32, kernel=5, pad=2, rng=rng),
            "relu2": k.ReLU(),
            "pool2": k.AveragePool(3, stride=2, ceil=True),
            "conv3": k.Conv2D(32, 64, kernel=5, pad=2, rng=rng),
            "relu3": k.ReLU(),
            "pool3": k.AveragePool(3, stride=2, ceil=True),
            "flatten": k.Flatten(),
            "fc4": k.Linear(4 * 4 * 64, 64, std=0.1, rng=rng),
            "relu4": k.ReLU(),
            "fc5": k.Linear(64, classes, std=0.1, rng=rng),
        }
    )


def cifar_19pct(rng: np.random.Generator, classes: int = 10, **kinds) -> Network:
    """The network that reached 19 % error on CIFAR-10 in 20 minutes, without normalisation.

    =====  ==========================  ==============  ==========
    layer  what                        output          parameters
    =====  ==========================  ==============  ==========
    input                              N, 32, 32, 3
    conv1  32 of 5 x 5                 N, 32, 32, 32        2,432
    pool1  maximum, 3 x 3, stride 2    N, 16, 16, 32
    conv2  32 of 5 x 5                 N, 16, 16, 32       25,632
    pool2  average, 3 x 3, stride 2    N,  8,  8, 32
    conv3  64 of 5 x 5                 N,  8,  8, 64       51,264
    pool3  average, 3 x 3, stride 2    N,  4,  4, 64
    fc4    one a class                 N, 10               10,250
    =====  ==========================  ==============  ==========

    89,578 parameters for 10 classes.

    Notes
    -----
    cuda-convnet's layers-19pct: the network of 18 % without its two normalisations.
    """
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(3, 32, kernel=5, pad=2, std=0.0001, rng=rng, input_grad=False),
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "relu1": k.ReLU(),
            "conv2": k.Conv2D(32, 32, kernel=5, pad=2, rng=rng),
            "relu2": k.ReLU(),
            "pool2": k.AveragePool(3, stride=2, ceil=True),
            "conv3": k.Conv2D(32, 64, kernel=5, pad=2, rng=rng),
            "relu3": k.ReLU(),
            "pool3": k.AveragePool(3, stride=2, ceil=True),
            "flatten": k.Flatten(),
            "fc4": k.Linear(4 * 4 * 64, classes, rng=rng),
        }
    )


def cifar_18pct(rng: np.random.Generator, classes: int = 10, **kinds) -> Network:
    """The network that reached 18 % error on CIFAR-10 in 20 minutes, on the pictures as they are.

    =====  ==========================  ==============  ==========
    layer  what                        output          parameters
    =====  ==========================  ==============  ==========
    input                              N, 32, 32, 3
    conv1  32 of 5 x 5                 N, 32, 32, 32        2,432
    pool1  maximum, 3 x 3, stride 2    N, 16, 16, 32
    norm1  over 3 x 3 pixels           N, 16, 16, 32
    conv2  32 of 5 x 5                 N, 16, 16, 32       25,632
    pool2  average, 3 x 3, stride 2    N,  8,  8, 32
    norm2  over 3 x 3 pixels           N,  8,  8, 32
    conv3  64 of 5 x 5                 N,  8,  8, 64       51,264
    pool3  average, 3 x 3, stride 2    N,  4,  4, 64
    fc4    one a class                 N, 10               10,250
    =====  ==========================  ==============  ==========

    89,578 parameters for 10 classes.

    Notes
    -----
    cuda-convnet's layers-18pct. Its norms sum over neighbouring pixels of one map, not over
    neighbouring maps. Decay is strong in the last layer: 1, against 0.004 elsewhere.
    """
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(3, 32, kernel=5, pad=2, std=0.0001, rng=rng, input_grad=False),
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "relu1": k.ReLU(),
            "norm1": k.ResponseNorm(3, k=1, alpha=5e-5 / 9, beta=0.75),
            "conv2": k.Conv2D(32, 32, kernel=5, pad=2, rng=rng),
            "relu2": k.ReLU(),
            "pool2": k.AveragePool(3, stride=2, ceil=True),
            "norm2": k.ResponseNorm(3, k=1, alpha=5e-5 / 9, beta=0.75),
            "conv3": k.Conv2D(32, 64, kernel=5, pad=2, rng=rng),
            "relu3": k.ReLU(),
            "pool3": k.AveragePool(3, stride=2, ceil=True),
            "flatten": k.Flatten(),
            "fc4": k.Linear(4 * 4 * 64, classes, rng=rng),
        }
    )
