"""The exercise on convolution, forward."""

from minialexnet.exercise import probe
from minialexnet.exercise.base import Exercise
from minialexnet.exercise.source import Source
from minialexnet.exercise.tasks.convolution import AXES, BY_HAND, cases, naive, slips
from minialexnet.layers import Conv2D

SUBJECT = probe.Subject(
    kind=Conv2D,
    cases=cases,
    by_hand=BY_HAND,
    naive=naive,
    slips=slips,
    axes=AXES,
    halves=("forward",),
)

EXERCISE = Exercise(
    name="conv2d_forward",
    title="Convolution, forward",
    provides="Conv2D",
    minutes=60,
    task="""
Write `forward` of the layer that lays the same filters on every place of the picture. First as
the sum in the docstring stands, with loops; it will be right and slow. Then as one matrix product
(im2col): `windows(x, K, S)` shows every window, (N, OH, OW, K, K, C), and a reshape makes it a
matrix with one row a window. Return y, (N, OH, OW, O), and what backward will need; backward
itself is the next exercise, and until then the library's does its part. OH = (H + top + bottom -
K) // S + 1, and OW likewise.
""",
    source=Source(
        "minialexnet.layers.conv",
        "Conv2D",
        ("forward",),
        helpers=("_correlated",),
        without=("backward",),
    ),
    definition=naive,
    hints=(
        "Take one number of y, y[n, i, j, o]. Which pixels of the padded picture does it see? "
        "Rows i S ... i S + K - 1. `padded(x, self.pad)` makes the frame of zeros.",
        "Loops: for each place (i, j), window = x[:, iS : iS + K, jS : jS + K] is (N, K, K, C). "
        "Multiply with weight (K, K, C, O) and sum over K, K and C; add the bias once.",
        "im2col: windows(x, K, S).reshape(N * OH * OW, K * K * C) @ weight.reshape(K * K * C, O) "
        "+ bias, reshaped to (N, OH, OW, O).",
    ),
    checks=probe.checks(SUBJECT),
)
