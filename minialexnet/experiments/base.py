"""What an experiment is: a table of settings, each trained from several seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from minialexnet.recipe import Recipe

# What settings have in common unless they say otherwise: 5 to 6 epochs of CIFAR-10, or as many
# steps on fewer pictures, so that a training takes some two minutes on one thread.
RECIPE = Recipe(
    network="four_layers",
    epochs=6,
    batch=64,
    scale=(1 / 64,),
    rate=0.01,
    schedule="linear",
)


@dataclass(frozen=True)
class Training:
    """One network to train, and what is to be found out about it.

    Parameters
    ----------
    setting : what the table of results calls it
    recipe : every number of it, with its seed
    network : arguments for the network's table, such as ``{"ReLU": Tanh}``
    pictures : how many training pictures to learn from, the same for every setting; 0: all
    center : side of the part of every picture that there is at all, pixels; 0: all of it
    target : training error, share of 1, at which to stop; 0 goes on to the end of the recipe
    """

    setting: str
    recipe: Recipe = RECIPE
    network: dict = field(default_factory=dict)
    pictures: int = 0
    center: int = 0
    target: float = 0.0

    def seeded(self, seed: int) -> "Training":
        """The same with another seed."""
        return replace(self, recipe=replace(self.recipe, seed=seed))

    @property
    def key(self) -> tuple[str, float, int]:
        """What tells it from the others of its experiment."""
        return self.setting, self.recipe.rate, self.recipe.seed


# The rows of the table of results so far, and the seeds: the trainings of which one knows already
# that they belong to the experiment.
Plan = Callable[[Sequence[dict], Sequence[int]], list[Training]]


@dataclass(frozen=True)
class Experiment:
    """A question, and the trainings that answer it.

    Parameters
    ----------
    question : in one line
    plan : the trainings, in order; the results so far may decide which come next
    """

    question: str
    plan: Plan


def each(*settings: Training) -> Plan:
    """Every setting from every seed, one seed after the other."""

    def plan(rows, seeds):
        return [setting.seeded(seed) for seed in seeds for setting in settings]

    return plan
