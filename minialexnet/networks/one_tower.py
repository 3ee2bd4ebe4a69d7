"""AlexNet for one GPU: narrower where the two towers of 2012 were joined."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def one_tower(rng: np.random.Generator, classes: int = 1000, **kinds) -> Network:
    """The network that torchvision calls AlexNet, with the widths of cuda-convnet2.

    ======  =======================  ==================  ==========
    layer   what                     output              parameters
    ======  =======================  ==================  ==========
    input                            N, 224, 224, 3
    conv1   64 of 11 x 11, stride 4  N,  55,  55,  64        23,296
    pool1   3 x 3, stride 2          N,  27,  27,  64
    conv2   192 of 5 x 5             N,  27,  27, 192       307,392
    pool2   3 x 3, stride 2          N,  13,  13, 192
    conv3   384 of 3 x 3             N,  13,  13, 384       663,936
    conv4   256 of 3 x 3             N,  13,  13, 256       884,992
    conv5   256 of 3 x 3             N,  13,  13, 256       590,080
    pool5   3 x 3, stride 2          N,   6,   6, 256
    fc6     4096                     N, 4096             37,752,832
    fc7     4096                     N, 4096             16,781,312
    fc8     one a class              N, 1000              4,097,000
    ======  =======================  ==================  ==========

    61,100,840 parameters for 1000 classes.

    Parameters
    ----------
    rng, classes, kinds : as for `alexnet`

    Notes
    -----
    torchvision/models/alexnet.py, after cuda-convnet2 (see `one_tower_norm`), with published errors
    of 43.48 and 20.93 % on the validation set of 2012, centre crops. Against `alexnet`:

    * No towers, and 64, 192, 384, 256 and 256 filters instead of 96, 256, 384, 384 and 256.
    * No response normalisation (section 3.3).
    * Pictures are 224 pixels wide, with two pixels of zeros on each side in conv1.
    * Dropout stands before fc6 and fc7 instead of behind them, so it drops features of pool5 and
      none of fc7's, and it scales in training instead of evaluation (section 4.2).
    * Weights begin with std = sqrt(2 / inputs of a filter) instead of 0.01, as in He et al. (2015),
      and all biases with 0 (section 5). torchvision itself draws both from uniform distributions.
    """
    k = layer_kinds(**kinds)

    def conv(channels: int, filters: int, kernel: int, **settings):
        std = (2 / (kernel * kernel * channels)) ** 0.5
        return k.Conv2D(channels, filters, kernel, std=std, rng=rng, **settings)

    def linear(features: int, units: int):
        return k.Linear(features, units, std=(2 / features) ** 0.5, rng=rng)

    return Network(
        {
            "conv1": conv(3, 64, 11, stride=4, pad=2, input_grad=False),
            "relu1": k.ReLU(),
            "pool1": k.MaxPool(3, stride=2),
            "conv2": conv(64, 192, 5, pad=2),
            "relu2": k.ReLU(),
            "pool2": k.MaxPool(3, stride=2),
            "conv3": conv(192, 384, 3, pad=1),
            "relu3": k.ReLU(),
            "conv4": conv(384, 256, 3, pad=1),
            "relu4": k.ReLU(),
            "conv5": conv(256, 256, 3, pad=1),
            "relu5": k.ReLU(),
            "pool5": k.MaxPool(3, stride=2),
            "flatten": k.Flatten(),
            "drop5": k.Dropout(0.5, inverted=True),
            "fc6": linear(256 * 6 * 6, 4096),
            "relu6": k.ReLU(),
            "drop6": k.Dropout(0.5, inverted=True),
            "fc7": linear(4096, 4096),
            "relu7": k.ReLU(),
            "fc8": linear(4096, classes),
        }
    )
