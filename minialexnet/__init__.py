"""AlexNet (Krizhevsky, Sutskever and Hinton, 2012) by hand, on NumPy or CuPy.

Read the files in this order: windows, layers/ (relu, linear, conv, pool, norm, dropout, composite),
loss, optim, networks/alexnet, train.

One legend of letters holds in every formula, shape and docstring:

======  ==========================================================
N       images in a batch
H, W    rows and columns of a picture or feature map
C       channels in
O       filters, that is channels out
K       side of a square kernel or pooling window
S       stride
P       padding
OH, OW  rows and columns of the output
D       features of a flat vector
M       classes
======  ==========================================================

Pictures and feature maps are (N, H, W, C), convolution weights (K, K, C, O): the last axis always
holds the features. ``x`` goes into a layer, ``y`` comes out, and ``d`` before a name is the
gradient of the loss in it: ``dy``, ``dx``, ``dweight``.
"""

__version__ = "0.1.0"
