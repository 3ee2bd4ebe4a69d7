"""AlexNet for one GPU with response normalisation, as cuda-convnet2 trained it."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def one_tower_norm(rng: np.random.Generator, classes: int = 1000, **kinds) -> Network:
    """Krizhevsky's network of 2014, of the "one weird trick", with its initial weights.

    ======  =======================  ==================  ==========
    layer   what                     output              parameters
    ======  =======================  ==================  ==========
    input                            N, 224, 224, 3
    conv1   64 of 11 x 11, stride 4  N,  55,  55,  64        23,296
    norm1   over 5 maps              N,  55,  55,  64
    pool1   3 x 3, stride 2          N,  27,  27,  64
    conv2   192 of 5 x 5             N,  27,  27, 192       307,392
    norm2   over 5 maps              N,  27,  27, 192
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
    cuda-convnet2's layers/layers-imagenet-1gpu.cfg and layer-params-imagenet-1gpu.cfg, with
    documented errors of 42.55 and 19.81 % on the validation set of 2012, centre crops, and 40.42
    and 18.15 % with ten crops. Its conv4 has 256 filters, though "One weird trick for
    parallelizing convolutional neural networks" (2014) says 384. Against `alexnet`:

    * No towers, and 64, 192, 384, 256 and 256 filters instead of 96, 256, 384, 384 and 256.
    * Pictures are 224 pixels wide, and the last windows of conv1 hang three pixels over the right
      and the bottom edge, where they see zeros.
    * norm1 comes before relu1: it sees, and divides by, negative values too (section 3.3).
    * The norms' alpha is 1e-4 / 5 (the code divides it by the number of maps); in the paper's
      formula it multiplies the plain sum.
    * Weights begin three times as large in conv3, conv4 and conv5: std is 0.03 there, where the
      paper says 0.01 everywhere (section 5).
    * The biases of fc8 begin with -7 instead of 0. Scores that are all shifted alike have the same
      softmax, so this changes nothing but the bias.
    * relu1 and relu5 come behind the pooling, which is the same as before it, with less work; and
      pooling rounds up its number of windows, which changes nothing at these sizes.
    """
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(
                3, 64, kernel=11, stride=4, pad=((0, 3), (0, 3)), rng=rng, input_grad=False
            ),
            "norm1": k.LocalResponseNorm(5, k=2, alpha=1e-4 / 5, beta=0.75),
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "relu1": k.ReLU(),
            "conv2": k.Conv2D(64, 192, kernel=5, pad=2, bias=1, rng=rng),
            "relu2": k.ReLU(),
            "norm2": k.LocalResponseNorm(5, k=2, alpha=1e-4 / 5, beta=0.75),
            "pool2": k.MaxPool(3, stride=2, ceil=True),
            "conv3": k.Conv2D(192, 384, kernel=3, pad=1, std=0.03, rng=rng),
            "relu3": k.ReLU(),
            "conv4": k.Conv2D(384, 256, kernel=3, pad=1, bias=1, std=0.03, rng=rng),
            "relu4": k.ReLU(),
            "conv5": k.Conv2D(256, 256, kernel=3, pad=1, bias=1, std=0.03, rng=rng),
            "pool5": k.MaxPool(3, stride=2, ceil=True),
            "relu5": k.ReLU(),
            "flatten": k.Flatten(),
            "fc6": k.Linear(256 * 6 * 6, 4096, bias=1, rng=rng),
            "relu6": k.ReLU(),
            "drop6": k.Dropout(0.5),
            "fc7": k.Linear(4096, 4096, bias=1, rng=rng),
            "relu7": k.ReLU(),
            "drop7": k.Dropout(0.5),
            "fc8": k.Linear(4096, classes, bias=-7, rng=rng),
        }
    )
