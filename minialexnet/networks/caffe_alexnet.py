"""AlexNet as Caffe has it."""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def caffe_alexnet(rng: np.random.Generator, classes: int = 1000, **kinds) -> Network:
    """The network of the weights that Caffe published, with its initial weights.

    ======  =======================  ==================  ==========
    layer   what                     output              parameters
    ======  =======================  ==================  ==========
    input                            N, 227, 227, 3
    conv1   96 of 11 x 11, stride 4  N,  55,  55,  96        34,944
    norm1   over 5 maps              N,  55,  55,  96
    pool1   3 x 3, stride 2          N,  27,  27,  96
    conv2   256 of 5 x 5, towers     N,  27,  27, 256       307,456
    norm2   over 5 maps              N,  27,  27, 256
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
    Caffe's models/bvlc_alexnet/train_val.prototxt, with published errors of 42.9 and 19.8 % on the
    validation set of 2012, centre crops. Against `alexnet`:

    * The norms have k = 1 instead of 2, and their alpha is 1e-4 / 5 (Caffe divides it by the number
      of maps); in the paper's formula it multiplies the plain sum (section 3.3).
    * Weights begin with std 0.005 in fc6 and fc7, where the paper says 0.01 (section 5).
    * Where the paper's biases begin with 1 these begin with 0.1: with 1 the loss stayed flat, says
      the model's readme.
    * Dropout scales in training instead of evaluation (section 4.2).
    * Pooling rounds up its number of windows, which changes nothing at these sizes.
    """
    k = layer_kinds(**kinds)
    return Network(
        {
            "conv1": k.Conv2D(3, 96, kernel=11, stride=4, rng=rng, input_grad=False),
            "relu1": k.ReLU(),
            "norm1": k.LocalResponseNorm(5, k=1, alpha=1e-4 / 5, beta=0.75),
            "pool1": k.MaxPool(3, stride=2, ceil=True),
            "conv2": k.Parallel(
                {
                    "a": k.Conv2D(48, 128, kernel=5, pad=2, bias=0.1, rng=rng),
                    "b": k.Conv2D(48, 128, kernel=5, pad=2, bias=0.1, rng=rng),
                }
            ),
            "relu2": k.ReLU(),
            "norm2": k.LocalResponseNorm(5, k=1, alpha=1e-4 / 5, beta=0.75),
            "pool2": k.MaxPool(3, stride=2, ceil=True),
            "conv3": k.Conv2D(256, 384, kernel=3, pad=1, rng=rng),
            "relu3": k.ReLU(),
            "conv4": k.Parallel(
                {
                    "a": k.Conv2D(192, 192, kernel=3, pad=1, bias=0.1, rng=rng),
                    "b": k.Conv2D(192, 192, kernel=3, pad=1, bias=0.1, rng=rng),
                }
            ),
            "relu4": k.ReLU(),
            "conv5": k.Parallel(
                {
                    "a": k.Conv2D(192, 128, kernel=3, pad=1, bias=0.1, rng=rng),
                    "b": k.Conv2D(192, 128, kernel=3, pad=1, bias=0.1, rng=rng),
                }
            ),
            "relu5": k.ReLU(),
            "pool5": k.MaxPool(3, stride=2, ceil=True),
            "flatten": k.Flatten(),
            "fc6": k.Linear(256 * 6 * 6, 4096, bias=0.1, std=0.005, rng=rng),
            "relu6": k.ReLU(),
            "drop6": k.Dropout(0.5, inverted=True),
            "fc7": k.Linear(4096, 4096, bias=0.1, std=0.005, rng=rng),
            "relu7": k.ReLU(),
            "drop7": k.Dropout(0.5, inverted=True),
            "fc8": k.Linear(4096, classes, rng=rng),
        }
    )
