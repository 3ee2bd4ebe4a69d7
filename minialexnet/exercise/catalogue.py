"""All exercises, in the order of the lectures."""

from minialexnet.exercise import linear, relu
from minialexnet.exercise.base import Exercise

EXERCISES: dict[str, Exercise] = {
    one.name: one
    for one in (
        linear.EXERCISE,
        relu.EXERCISE,
    )
}


def names() -> list[str]:
    """The names of the exercises."""
    return list(EXERCISES)


def exercise(name: str) -> Exercise:
    """The exercise of that name; a KeyError that lists the names if there is none."""
    if name not in EXERCISES:
        raise KeyError(f'there is no exercise "{name}"; there are {", ".join(EXERCISES)}')
    return EXERCISES[name]
