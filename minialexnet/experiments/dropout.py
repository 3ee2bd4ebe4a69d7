"""How much dropout is good? (Paper, section 4.2.)

There must be something to cure, so these networks see 10,000 pictures 30 times.
"""

from dataclasses import replace

from minialexnet.experiments.base import RECIPE, Experiment, Training, each

RATES = (0.0, 0.25, 0.5, 0.75)


def _dropping(rate: float) -> Training:
    recipe = replace(RECIPE, epochs=30)
    return Training(f"{rate:g}", recipe, network={"drop": rate}, pictures=10_000)


DROPOUT = Experiment(
    "shares of the hidden fully connected layer that are dropped, learning from 10,000 pictures",
    each(*(_dropping(rate) for rate in RATES)),
)
