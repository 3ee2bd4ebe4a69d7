"""AlexNet, assembled.

Write the function that assembles the network of the paper (section 3.5 and figure 2) from its
layers, with its initial weights (section 5): a `Network` of named layers. Take the kinds of layer
from `k = layer_kinds(**kinds)` (`k.Conv2D`, `k.ReLU`, `k.LocalResponseNorm`, `k.MaxPool`,
`k.Parallel`, `k.Flatten`, `k.Linear`, `k.Dropout`), so that others may put layers of their own in
their places. Towers are `k.Parallel({"a": ..., "b": ...})`.

Only the table is asked for: no layer is to be written.

    from minialexnet import exercise
    exercise.check("alexnet", alexnet)
    exercise.hint("alexnet")
"""

import numpy as np

from minialexnet.layers import Network
from minialexnet.networks.kinds import layer_kinds


def alexnet(rng: np.random.Generator, classes: int = 1000, **kinds) -> Network:
    """The network of the paper (section 3.5 and figure 2), with its initial weights (section 5).

    ======  =======================  ==================  ==========
    layer   what                     output              parameters
    ======  =======================  ==================  ==========
    input                            N, 227, 227, 3
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

    A ReLU stands behind each layer with weights but the last (relu1 ... relu7), a response
    normalisation behind relu1 and relu2 (norm1, norm2), a pooling behind norm1, norm2 and relu5,
    and a dropout of one half behind relu6 and relu7 (drop6, drop7); "flatten" comes before fc6.
    Convolutions but the first are padded so that H and W stay (2 pixels for 5 x 5, 1 for 3 x 3).
    Weights begin with a standard deviation of 0.01, biases with 1 in conv2, conv4, conv5, fc6 and
    fc7, and with 0 in the others. Nobody asks for the gradient in the picture: conv1 has
    ``input_grad=False``.

    Parameters
    ----------
    rng : the generator that draws the weights
    classes : M
    kinds : classes to use instead of the library's, such as ``ReLU=Tanh``

    Notes
    -----
    The towers a and b are the two GPUs of 2012: conv2, conv4 and conv5 see the maps of their own
    tower alone. (conv1's 48 + 48 filters all see the picture, so one convolution is the same.)
    Pictures are 227 pixels wide: the paper's 224 do not give its 55 x 55 maps; cuda-convnet let
    the last window hang over the edge by three pixels of zeros. Figure 2 prints 253,440 neurons
    for conv1, which are 55 x 55 x 96 = 290,400. The norm runs over all the maps of a layer and
    multiplies alpha as the formula says; the original code did so within a tower, with alpha / n.
    """
    # YOUR CODE HERE
    raise NotImplementedError()
