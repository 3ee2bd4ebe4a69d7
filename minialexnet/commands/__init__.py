"""What can be done from the command line: one file a command."""

from minialexnet.commands import (
    bench,
    describe,
    evaluate,
    exercise,
    experiment,
    info,
    look,
    predict,
    prepare,
    train,
    weights,
)

ALL = (
    train,
    evaluate,
    predict,
    look,
    prepare,
    describe,
    weights,
    exercise,
    experiment,
    bench,
    info,
)
