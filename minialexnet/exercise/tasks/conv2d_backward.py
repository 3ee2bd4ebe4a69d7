"""The exercise on convolution, backward."""

from minialexnet.exercise import probe
from minialexnet.exercise.base import Exercise
from minialexnet.exercise.source import Source
from minialexnet.exercise.tasks.convolution import (
    AXES,
    BY_HAND,
    cases,
    for_pictures,
    naive,
    slips,
)
from minialexnet.layers import Conv2D

SUBJECT = probe.Subject(
    kind=Conv2D,
    cases=lambda rng: [*cases(rng), for_pictures(rng)],
    by_hand=BY_HAND,
    naive=naive,
    slips=slips,
    axes=AXES,
    halves=("backward",),
)

EXERCISE = Exercise(
    name="conv2d_backward",
    title="Convolution, backward",
    provides="Conv2D",
    minutes=90,
    task="""
Write `backward` of convolution; `forward` is there, and its cache is the padded picture. Return
dx, of the shape of the picture without its padding, and {"weight": dweight, "bias": dbias}. Where
`self.input_grad` is False the input is a picture, which nobody trains: return None for dx.
""",
    source=Source("minialexnet.layers.conv", "Conv2D", ("backward",), given=("_correlated",)),
    definition=naive,
    hints=(
        "Every term of the sum in the docstring is a product of a pixel and a weight: the pixel's "
        "gradient gets dy times the weight, the weight's gets dy times the pixel. Bias: dy itself.",
        "Loops: for each place (i, j) with window = x[:, iS : iS + K, jS : jS + K] of the cache, "
        "dweight += the sum over n of window[n] dy[n, i, j], and dx's own window += dy[:, i, j] "
        "times the weight, summed over O. Cut the padding off dx at the end.",
        "One product each: with X = windows(x, K, S) as a matrix (places, K K C) and dY = "
        "dy.reshape(-1, O): dweight = X.T @ dY; dX = dY @ weight.reshape(-1, O).T is what each "
        "window sends back, and add_windows(dX as windows, x.shape, S) adds it up. "
        "cropped(dx, self.pad) cuts the frame off.",
    ),
    checks=probe.checks(SUBJECT),
)
