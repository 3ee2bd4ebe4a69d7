"""What can be done from the command line: one file a command."""

from minialexnet.commands import (
    bench,
    describe,
    evaluate,
    experiment,
    look,
    predict,
    prepare,
    train,
    weights,
)

ALL = (train, evaluate, predict, prepare, describe, weights, bench, experiment, look)
