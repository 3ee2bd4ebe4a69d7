"""AlexNet without response normalisation: what that is compared with (paper, section 3.3)."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def alexnet_no_norm(rng: np.random.Generator, classes: int = 1000, **kinds) -> Network:
    """`alexnet_as_run` without its three norms.

    ======  =======================  ==================  ==========
    layer   what                     output              parameters
    ======  =======================  ==================  ==========
    input                            N, 224, 224, 3
    conv1   96 of 11 x 11, stride 4  N,  55,  55,  96        34,944
    pool1   3 x 3, stride 2          N,  27,  27,  96
    conv2   256 of 5 x 5, towers     N,  27,  27, 256       307,456
    pool2   3 x 3, stride 2          N,  13,  13, 256
    conv3   384 of 3 x 3             N,  13,  13, 384       885,120
    conv4   384 of 3 x 3, towers     N,  13,  13, 384       663,936
    conv5   256 of 3 x 3, towers     N,  13,  13, 256       442,624
    pool5   3 x 3, stride 2          N,   6,   6, 256
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
    The code released in 2025, layers/layers-148.cfg and layer-params-148.cfg. It differs from
    `alexnet` as `alexnet_as_run` does, and from that in one point:

    * norm1, norm2 and cnorm2 are missing.

    Normalisation is worth 1.4 and 1.2 points (section 3.3), but what was taken away for that figure
    is the paper's two norms and the third that the paper does not mention. In the code's notes, on
    the validation set of 2012 with ten crops: 42.03 and 19.36 % without, 40.66 and 18.21 % with.
    """
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(
                3, 96, kernel=11, stride=4, pad=((0, 3), (0, 3)), rng=rng, input_grad=False
            ),
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "relu1": k.ReLU(),
            "conv2": k.Parallel(
                {
                    "a": k.Conv2D(48, 128, kernel=5, pad=2, bias=1, rng=rng),
                    "b": k.Conv2D(48, 128, kernel=5, pad=2, bias=1, rng=rng),
                }
            ),
            "relu2": k.ReLU(),
            "pool2": k.MaxPool(3, stride=2, ceil=True),
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
                    "a": k.Conv2D(192, 128, kernel=3, pad=1, bias=1, std=0.03, rng=rng),
                    "b": k.Conv2D(192, 128, kernel=3, pad=1, bias=1, std=0.03, rng=rng),
                }
            ),
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
