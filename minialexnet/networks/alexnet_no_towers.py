"""AlexNet at full width on one GPU, as Chainer has it."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def alexnet_no_towers(rng: np.random.Generator, classes: int = 1000, **kinds) -> Network:
    """The network of the paper with its towers joined: every filter sees all the maps below.

    ======  =======================  ==================  ==========
    layer   what                     output              parameters
    ======  =======================  ==================  ==========
    input                            N, 227, 227, 3
    conv1   96 of 11 x 11, stride 4  N,  55,  55,  96        34,944
    norm1   over 5 maps              N,  55,  55,  96
    pool1   3 x 3, stride 2          N,  27,  27,  96
    conv2   256 of 5 x 5             N,  27,  27, 256       614,656
    norm2   over 5 maps              N,  27,  27, 256
    pool2   3 x 3, stride 2          N,  13,  13, 256
    conv3   384 of 3 x 3             N,  13,  13, 384       885,120
    conv4   384 of 3 x 3             N,  13,  13, 384     1,327,488
    conv5   256 of 3 x 3             N,  13,  13, 256       884,992
    pool5   3 x 3, stride 2          N,   6,   6, 256
    fc6     4096                     N, 4096             37,752,832
    fc7     4096                     N, 4096             16,781,312
    fc8     one a class              N, 1000              4,097,000
    ======  =======================  ==================  ==========

    62,378,344 parameters for 1000 classes.

    Parameters
    ----------
    rng, classes, kinds : as for `alexnet`

    Notes
    -----
    Chainer's examples/imagenet/alex.py. Its norms are the paper's, over all maps, with alpha not
    divided by their number. Against `alexnet`:

    * conv2, conv4 and conv5 have no towers, hence twice their weights (section 3.2).
    * Weights begin with std = sqrt(1 / inputs of a filter), Chainer's own choice ("LeCun normal"),
      instead of 0.01, and all biases with 0 (section 5).
    * Dropout scales in training instead of evaluation (section 4.2).
    * Pooling rounds up its number of windows, which changes nothing at these sizes.
    """
    k = layer_kinds(**kinds)

    def conv(channels: int, filters: int, kernel: int, **settings):
        std = (1 / (kernel * kernel * channels)) ** 0.5
        return k.Conv2D(channels, filters, kernel, std=std, rng=rng, **settings)

    def linear(features: int, units: int):
        return k.Linear(features, units, std=(1 / features) ** 0.5, rng=rng)

    return Network(
        {
            "conv1": conv(3, 96, 11, stride=4, input_grad=False),
            "relu1": k.ReLU(),
            "norm1": k.LocalResponseNorm(5, k=2, alpha=1e-4, beta=0.75),
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "conv2": conv(96, 256, 5, pad=2),
            "relu2": k.ReLU(),
            "norm2": k.LocalResponseNorm(5, k=2, alpha=1e-4, beta=0.75),
            "pool2": k.MaxPool(3, stride=2, ceil=True),
            "conv3": conv(256, 384, 3, pad=1),
            "relu3": k.ReLU(),
            "conv4": conv(384, 384, 3, pad=1),
            "relu4": k.ReLU(),
            "conv5": conv(384, 256, 3, pad=1),
            "relu5": k.ReLU(),
            "pool5": k.MaxPool(3, stride=2, ceil=True),
            "flatten": k.Flatten(),
            "fc6": linear(256 * 6 * 6, 4096),
            "relu6": k.ReLU(),
            "drop6": k.Dropout(0.5, inverted=True),
            "fc7": linear(4096, 4096),
            "relu7": k.ReLU(),
            "drop7": k.Dropout(0.5, inverted=True),
            "fc8": linear(4096, classes),
        }
    )
