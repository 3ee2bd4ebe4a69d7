"""One of AlexNet's two towers: what two GPUs are compared with (paper, section 3.2)."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def alexnet_half(rng: np.random.Generator, classes: int = 1000, **kinds) -> Network:
    """`alexnet_as_run` with one tower, whose last convolution is as wide as both were.

    ======  =======================  ==================  ==========
    layer   what                     output              parameters
    ======  =======================  ==================  ==========
    input                            N, 224, 224, 3
    conv1   48 of 11 x 11, stride 4  N,  55,  55,  48        17,472
    norm1   over 5 maps              N,  55,  55,  48
    pool1   3 x 3, stride 2          N,  27,  27,  48
    conv2   128 of 5 x 5             N,  27,  27, 128       153,728
    norm2   over 5 maps              N,  27,  27, 128
    cnorm2  over 5 x 5 pixels        N,  27,  27, 128
    pool2   3 x 3, stride 2          N,  13,  13, 128
    conv3   192 of 3 x 3             N,  13,  13, 192       221,376
    conv4   192 of 3 x 3             N,  13,  13, 192       331,968
    conv5   256 of 3 x 3             N,  13,  13, 256       442,624
    pool5   3 x 3, stride 2          N,   6,   6, 256
    fc6     4096                     N, 4096             37,752,832
    fc7     4096                     N, 4096             16,781,312
    fc8     one a class              N, 1000              4,097,000
    ======  =======================  ==================  ==========

    59,798,312 parameters for 1000 classes.

    Parameters
    ----------
    rng, classes, kinds : as for `alexnet`

    Notes
    -----
    The code released in 2025, layers/layers-145-half.cfg and layer-params-145-half.cfg. It differs
    from `alexnet` as `alexnet_as_run` does, and from that:

    * conv1 to conv4 have half the filters, and no layer has towers.
    * conv5 keeps its 256 filters, and fc6 and fc7 their 4096 features. Otherwise there would be
      about half as many parameters, and the comparison would not be fair, says a comment there.

    Two towers are better by 1.7 and 1.2 points (section 3.2). In the code's notes, on the test set
    of 2010 with ten crops: 39.17 and 18.23 % with one, 37.47 and 17.00 % with two.
    """
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(
                3, 48, kernel=11, stride=4, pad=((0, 3), (0, 3)), rng=rng, input_grad=False
            ),
            "norm1": k.LocalResponseNorm(5, k=2, alpha=1e-4 / 5, beta=0.75),
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "relu1": k.ReLU(),
            "conv2": k.Conv2D(48, 128, kernel=5, pad=2, bias=1, rng=rng),
            "relu2": k.ReLU(),
            "norm2": k.LocalResponseNorm(5, k=2, alpha=1e-4 / 5, beta=0.75),
            "cnorm2": k.ResponseNorm(5, k=1, alpha=0.001 / 25, beta=0.75),
            "pool2": k.MaxPool(3, stride=2, ceil=True),
            "conv3": k.Conv2D(128, 192, kernel=3, pad=1, std=0.03, rng=rng),
            "relu3": k.ReLU(),
            "conv4": k.Conv2D(192, 192, kernel=3, pad=1, bias=1, std=0.03, rng=rng),
            "relu4": k.ReLU(),
            "conv5": k.Conv2D(192, 256, kernel=3, pad=1, bias=1, std=0.03, rng=rng),
            "pool5": k.MaxPool(3, stride=2, ceil=True),
            "relu5": k.ReLU(),
            "flatten": k.Flatten(),
            "fc6": k.Linear(256 * 6 * 6, 4096, bias=1, rng=rng),
            "relu6": k.ReLU(),
            "drop6": k.Dropout(0.5),
            "fc7": k.Linear(4096, 4096, bias=1, rng=rng),
            "relu7": k.ReLU(),
            "drop7": k.Dropout(0.5),
            "fc8": k.Linear(4096, classes, rng=rng),
        }
    )
