"""All exercises, in the order of the lectures."""

from minialexnet.exercise.base import Exercise
from minialexnet.exercise.tasks import (
    alexnet,
    avgpool,
    conv2d_backward,
    conv2d_forward,
    crops,
    dropout,
    linear,
    lrn,
    maxpool,
    relu,
    sgd,
    softmax_loss,
    two_towers,
)

EXERCISES: dict[str, Exercise] = {
    task.EXERCISE.name: task.EXERCISE
    for task in (
        softmax_loss,
        linear,
        relu,
        conv2d_forward,
        conv2d_backward,
        maxpool,
        avgpool,
        lrn,
        dropout,
        sgd,
        crops,
        two_towers,
        alexnet,
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
