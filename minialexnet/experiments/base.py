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

    def at(self, rate: float) -> "Training":
        """The same at another learning rate."""
        return replace(self, recipe=replace(self.recipe, rate=rate))

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


def best_rate(rows: Sequence[dict], setting: str, rates: Sequence[float], seed: int):
    """The rate that reached the target first; if none did, that with the lowest training error.

    Parameters
    ----------
    rows : of the table of results

    Returns
    -------
    None while one of the rates has not been tried from this seed, and if all of them diverged
    """
    tried = [row for row in rows if row["setting"] == setting and row["seed"] == seed]
    if {row["rate"] for row in tried} < set(rates):
        return None

    def late(row) -> tuple:
        return row["ended"] != "target", row["steps"], row["train_error"]

    sane = [row for row in tried if row["ended"] != "diverged"]
    return min(sane, key=late)["rate"] if sane else None


def at_best_rates(candidates: dict[str, tuple[Training, Sequence[float]]]) -> Plan:
    """Every setting at each of its rates from the first seed, then at its best from the others."""

    def plan(rows, seeds):
        first, *others = seeds
        trainings = [
            setting.at(rate).seeded(first)
            for setting, rates in candidates.values()
            for rate in rates
        ]
        for seed in others:
            for name, (setting, rates) in candidates.items():
                if (rate := best_rate(rows, name, rates, first)) is not None:
                    trainings.append(setting.at(rate).seeded(seed))
        return trainings

    return plan


def best_rows(rows: Sequence[dict]) -> list[dict]:
    """The rows of a table in which settings have several rates, each at the best one only.

    The first seed of a setting is that which tried its rates.
    """
    found = []
    for setting in dict.fromkeys(row["setting"] for row in rows):
        mine = [row for row in rows if row["setting"] == setting]
        first = mine[0]["seed"]
        rates = [row["rate"] for row in mine if row["seed"] == first]
        rate = best_rate(mine, setting, rates, first)
        found += [row for row in mine if row["rate"] == rate]
    return found
