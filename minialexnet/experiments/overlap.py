"""Do pooling windows that overlap help? (Paper, section 3.4.)"""

from minialexnet.experiments.base import Experiment, Training, each
from minialexnet.layers import MaxPool


def side_by_side(kernel: int, stride: int, ceil: bool) -> MaxPool:
    """Windows as wide as the stride; the maps are as large as with overlapping ones."""
    return MaxPool(stride, stride, ceil)


OVERLAP = Experiment(
    "pooling windows of 3 x 3 pixels every 2, which overlap, against 2 x 2 every 2",
    each(Training("3 x 3"), Training("2 x 2", network={"MaxPool": side_by_side})),
)
