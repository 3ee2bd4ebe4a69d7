"""AlexNet whose pooling windows do not overlap: what overlap is compared with (section 3.4)."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def alexnet_pool2(rng: np.random.Generator, classes: int = 1000, **kinds) -> Network:
    """`alexnet_as_run` with pooling windows of 2 x 2 pixels instead of 3 x 3.

    ======  =======================  ==================  ==========
    layer   what                     output              parameters
    ======  =======================  ==================  ==========
    input                            N, 224, 224, 3
    conv1   96 of 11 x 11, stride 4  N,  55,  55,  96        34,944
    norm1   over 5 maps, towers      N,  55,  55,  96
    pool1   2 x 2, stride 2          N,  28,  28,  96
    conv2   256 of 5 x 5, towers     N,  26,  26, 256       307,456
    norm2   over 5 maps, towers      N,  26,  26, 256
    cnorm2  over 5 x 5 pixels        N,  26,  26, 256
    pool2   2 x 2, stride 2          N,  13,  13, 256
    conv3   384 of 3 x 3             N,  13,  13, 384       885,120
    conv4   384 of 3 x 3, towers     N,  13,  13, 384       663,936
    conv5   256 of 3 x 3, towers     N,  11,  11, 256       442,624
    pool5   2 x 2, stride 2          N,   6,   6, 256
    fc6     4096                     N, 4096             37,752,832
    fc7     4096                     N, 4096             16,781,312
    fc8     one a class              N, 1000              4,097,000
    ======  =======================  ==================  ==========

    60,965,224 parameters for 1000 classes.

    Parameters
    ----------
    rng, classes, kinds : as for `alexnet`

    Notes
    -----
    The code released in 2025, layers/layers-147.cfg and layer-params-147.cfg. It differs from
    `alexnet` as `alexnet_as_run` does, and from that:

    * pool1, pool2 and pool5 have windows of 2 x 2 pixels, of which the last ones of pool1 and pool5
      hang over the edge (layer.py rounds the number of windows up).
    * conv2 is padded by 1 instead of 2, and conv5 by 0 instead of 1, so that conv3 and fc6 get maps
      of the sizes they had. The paper does not mention that (section 3.4).

    Overlap is worth 0.4 and 0.3 points (section 3.4). In the code's notes, on the validation set of
    2012 with ten crops: 41.06 and 18.51 % without, 40.66 and 18.21 % with.
    """
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(
                3, 96, kernel=11, stride=4, pad=((0, 3), (0, 3)), rng=rng, input_grad=False
            ),
            "norm1": k.Parallel(
                {
                    "a": k.LocalResponseNorm(5, k=2, alpha=1e-4 / 5, beta=0.75),
                    "b": k.LocalResponseNorm(5, k=2, alpha=1e-4 / 5, beta=0.75),
                }
            ),
            "pool1": k.MaxPool(2, stride=2, ceil=True),
            "relu1": k.ReLU(),
            "conv2": k.Parallel(
                {
                    "a": k.Conv2D(48, 128, kernel=5, pad=1, bias=1, rng=rng),
                    "b": k.Conv2D(48, 128, kernel=5, pad=1, bias=1, rng=rng),
                }
            ),
            "relu2": k.ReLU(),
            "norm2": k.Parallel(
                {
                    "a": k.LocalResponseNorm(5, k=2, alpha=1e-4 / 5, beta=0.75),
                    "b": k.LocalResponseNorm(5, k=2, alpha=1e-4 / 5, beta=0.75),
                }
            ),
            "cnorm2": k.ResponseNorm(5, k=1, alpha=0.001 / 25, beta=0.75),
            "pool2": k.MaxPool(2, stride=2, ceil=True),
            "conv3": k.Conv2D(256, 384, kernel=3, pad=1, std=0.03, rng=rng),
            "relu3": k.ReLU(),
            "conv4": k.Parallel(
                {
                    "a": k.Conv2D(192, 192, kernel=3, pad=1, bias=1, std=0.03, rng=rng),
                    "b": k.Conv2D(192, 192, kernel=3, pad=1, bias=1, std=0.03, rng=rng),
                }
            ),
            "relu4": k.ReLU(),
            "conv5": k.Parallel(
                {
                    "a": k.Conv2D(192, 128, kernel=3, pad=0, bias=1, std=0.03, rng=rng),
                    "b": k.Conv2D(192, 128, kernel=3, pad=0, bias=1, std=0.03, rng=rng),
                }
            ),
            "pool5": k.MaxPool(2, stride=2, ceil=True),
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
