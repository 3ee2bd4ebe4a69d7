"""From the pictures of a data set to what a network sees."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minialexnet.backend import Device


@dataclass(frozen=True)
class Input:
    """Pixels less the mean picture (paper, section 2), times a scale, on a device.

    Parameters
    ----------
    mean : (H, W, 3) float32, on the device
    scale : 1 leaves the pixels as large as they are, as the paper does
    device : where the network is
    """

    mean: Any
    scale: float
    device: Device

    def __call__(self, images: np.ndarray):
        """(N, H, W, 3) uint8 on the host to (N, H, W, 3) float32 on the device."""
        return (self.device.put(images) - self.mean) * self.scale
