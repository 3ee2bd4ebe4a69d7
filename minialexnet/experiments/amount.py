"""What do more pictures bring?

All take the same number of steps, so fewer pictures are seen more often.
"""

from dataclasses import replace

from minialexnet.experiments.base import RECIPE, Experiment, Training, each

MOST = 50_000


def _learning_from(pictures: int) -> Training:
    recipe = replace(RECIPE, epochs=RECIPE.epochs * MOST // pictures)
    return Training(f"{pictures}", recipe, pictures=pictures)


DATA = Experiment(
    "5,000, 10,000, 25,000 and 50,000 training pictures, and as many steps with each",
    each(*(_learning_from(pictures) for pictures in (5_000, 10_000, 25_000, MOST))),
)
