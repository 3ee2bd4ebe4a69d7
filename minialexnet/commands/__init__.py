"""What can be done from the command line: one file a command."""

from minialexnet.commands import (
    bench,
    describe,
    evaluate,
    exercise,
    predict,
    prepare,
    train,
    weights,
)

ALL = (train, evaluate, predict, prepare, describe, weights, exercise, bench)
