"""What do more filters and units bring?"""

from minialexnet.experiments.base import Experiment, Training, each

WIDTH = Experiment(
    "half, once and twice as many filters and units in every hidden layer",
    each(*(Training(f"{width:g}", network={"width": width}) for width in (0.5, 1.0, 2.0))),
)
