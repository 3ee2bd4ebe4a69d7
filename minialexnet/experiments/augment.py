"""How much does it help to show each picture in many forms? (Paper, section 4.1.)

Every setting sees parts of 28 x 28 pixels and is tested on the central ones.
"""

from dataclasses import replace

from minialexnet.experiments.base import RECIPE, Experiment, Training, each

SIDE, EPOCHS = 28, 12

_WHOLE = replace(RECIPE, epochs=EPOCHS)
_CROPS = replace(_WHOLE, crop=SIDE)


def _seeing(setting: str, recipe, center: int = 0) -> Training:
    return Training(setting, recipe, network={"side": SIDE}, center=center)


AUGMENT = Experiment(
    "no augmentation, mirror images, random parts besides, colours besides",
    each(
        _seeing("none", _WHOLE, SIDE),
        _seeing("flips", replace(_WHOLE, flip=True), SIDE),
        _seeing("crops + flips", replace(_CROPS, flip=True)),
        _seeing("crops + flips + colour", replace(_CROPS, flip=True, colour=0.1)),
    ),
)
