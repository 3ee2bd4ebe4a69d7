"""Where chance comes from: NumPy generators that are a function of where the run is."""

import numpy as np

PURPOSES = ("weights", "order", "layers", "augmentation")


def generator(purpose: str, seed: int, epoch: int = 0, step: int = 0) -> np.random.Generator:
    """The generator for one purpose at one place of a run.

    Nothing is carried from step to step, so a run that is taken up again anywhere draws what it
    would have drawn, on any device and with any number of workers.

    Parameters
    ----------
    purpose : one of PURPOSES; equal places draw different numbers for different purposes
    seed : of the run
    epoch, step : where the run is
    """
    # All four numbers always: NumPy takes [7] and [7, 0, 0] for the same seed.
    return np.random.default_rng([PURPOSES.index(purpose), seed, epoch, step])
