"""Loss scaling: what keeps gradients within float16, and what happens when one does not fit.

float16 has nothing between 0 and 6e-8, where many gradients lie, and ends at 65,504. So the
gradient of the loss is multiplied by a power of two before it goes back through the network, and
the gradients of the parameters are divided by it afterwards. Where one overflows on the way, the
step is left out and the factor halved; after a while without an overflow it is doubled.

Whether a step counts is decided on the device, by `where`: to ask would mean to wait for the GPU.
"""

import numpy as np

from minialexnet.backend import Device, fetched, namespace
from minialexnet.optim import SGD

FIRST = 2.0**15
# Good steps in a row after which the factor is doubled, and the largest that it becomes.
PATIENCE = 2000
LARGEST = 2.0**24


class Scaling:
    """The factor by which the loss is multiplied, and how the last steps went.

    Attributes
    ----------
    scale : float32, the factor
    good : float32, steps in a row without an overflow since the factor last changed
    skipped : float32, steps that were left out
    taken : bool, whether the last step counts

    All of them are arrays without axes on the device, once `begin` was called.

    Notes
    -----
    Micikevicius et al., Mixed Precision Training, ICLR 2018 (arXiv 1710.03740), section 3.2.
    """

    def begin(self, device: Device, scale: float, good: int, skipped: int) -> None:
        """Go on from these numbers; a scale of 0 stands for the first one."""
        numbers = (scale or FIRST, good, skipped)
        self.scale, self.good, self.skipped = (
            device.put(np.asarray(number, np.float32)) for number in numbers
        )

    def judge(self, grads) -> None:
        """Decide from the gradients of a step whether it counts, and what comes next.

        Parameters
        ----------
        grads : {name: array} float32, divided by the scale; over all ranks if there are several,
            so that all of them decide the same
        """
        xp = namespace(*grads.values())
        with np.errstate(invalid="ignore"):
            # NaN and infinity survive any sum, and gradients out of float16 have a finite one.
            total = sum(grad.sum() for grad in grads.values())
            self.taken = total * 0 == 0
        enough = self.good + 1 >= PATIENCE
        grown = xp.where(enough & (self.scale < LARGEST), 2 * self.scale, self.scale)
        self.scale = xp.where(self.taken, grown, self.scale / 2)
        none = 0 * self.good
        self.good = xp.where(self.taken, xp.where(enough, none, self.good + 1), none)
        self.skipped = xp.where(self.taken, self.skipped, self.skipped + 1)

    def home(self, device: Device) -> tuple[float, int, int]:
        """Scale, good steps and skipped steps as Python's numbers, in one transfer."""
        scale, good, skipped = fetched((self.scale, self.good, self.skipped), device)
        return scale, int(good), int(skipped)


def scaling_of(sgd: SGD) -> Scaling | None:
    """The scaling of a `ScaledSGD`; other optimisers have none."""
    return getattr(sgd, "scaling", None)


class ScaledSGD(SGD):
    """The same gradient descent; a step whose gradients overflowed changes nothing.

    Parameters as for `SGD`.
    """

    def __init__(self, *numbers):
        super().__init__(*numbers)
        self.scaling = Scaling()

    def step(self, params, grads, rate: float, epoch: float = 0.0) -> dict:
        self.scaling.judge(grads)
        # What comes of infinite gradients is dropped.
        with np.errstate(over="ignore", invalid="ignore"):
            return super().step(params, grads, rate, epoch)

    def _moved(self, weight, velocity, grad, rate: float, decay: float):
        taken, where = self.scaling.taken, namespace(weight).where
        moved, velocities = super()._moved(weight, velocity, grad, rate, decay)
        return where(taken, moved, weight), where(taken, velocities, velocity)
