"""AlexNet as it was run in 2012, which is not quite as the paper describes it."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def alexnet_as_run(rng: np.random.Generator, classes: int = 1000, **kinds) -> Network:
    """The network behind the paper's numbers, with its initial weights, from the released code.

    ======  =======================  ==================  ==========
    layer   what                     output              parameters
    ======  =======================  ==================  ==========
    input                            N, 224, 224, 3
    conv1   96 of 11 x 11, stride 4  N,  55,  55,  96        34,944
    norm1   over 5 maps, towers      N,  55,  55,  96
    pool1   3 x 3, stride 2          N,  27,  27,  96
    conv2   256 of 5 x 5, towers     N,  27,  27, 256       307,456
    norm2   over 5 maps, towers      N,  27,  27, 256
    cnorm2  over 5 x 5 pixels        N,  27,  27, 256
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
    The code that the Computer History Museum released in 2025, layers/layers-145.cfg and
    layer-params-145.cfg. The errors noted there, 40.66 and 18.21 % on the validation set of 2012
    with ten crops, are the paper's 40.7 and 18.2 % (section 6, table 2). Against `alexnet`:

    * Pictures are 224 pixels wide, and the last windows of conv1 hang three pixels over the right
      and the bottom edge, where they see zeros (layer.py rounds the number of windows up).
    * norm1 comes before relu1: it sees, and divides by, negative values too. The paper has it
      behind (section 3.3).
    * Both norms stay within a tower, and their alpha is 1e-4 / 5 (layer.py divides it by the number
      of maps); in the paper's formula it multiplies the plain sum.
    * cnorm2, over the pixels of a map, is not in the paper. k is 1, and alpha 0.001 / 25.
    * Weights begin three times as large in conv3, conv4 and conv5: std is 0.03 there, where the
      paper says 0.01 everywhere (section 5). The biases begin as it says.
    * relu1 and relu5 come behind the pooling, which is the same as before it, with less work; and
      pooling rounds up its number of windows, which changes nothing at these sizes.

    One thing is not as in that code: of equal maxima in a pooling window it gives each the whole
    gradient, where `MaxPool` gives it to the first.
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
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "relu1": k.ReLU(),
            "conv2": k.Parallel(
                {
                    "a": k.Conv2D(48, 128, kernel=5, pad=2, bias=1, rng=rng),
                    "b": k.Conv2D(48, 128, kernel=5, pad=2, bias=1, rng=rng),
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
