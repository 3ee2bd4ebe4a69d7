"""What do more filters and units bring?

A wider network wants smaller steps. So both rates are tried with each width from the first seed,
and the one that learns its training pictures better is repeated from the others.
"""

from minialexnet.experiments.base import Experiment, Training, at_best_rates

RATES = (0.003, 0.01)

WIDTH = Experiment(
    "half, once and twice as many filters and units in every hidden layer",
    at_best_rates(
        {
            f"{width:g}": (Training(f"{width:g}", network={"width": width}), RATES)
            for width in (0.5, 1.0, 2.0)
        }
    ),
)
