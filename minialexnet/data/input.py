"""From the pictures of a data set to what a network sees."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from minialexnet.backend import Device
from minialexnet.data.crops import center


@dataclass(frozen=True)
class Input:
    """Pixels less the mean picture (paper, section 2), times a scale, on a device.

    Parameters
    ----------
    mean : (H, W, 3) float32, on the device
    scale : (1,) or (3,) float32, on the device, for all channels or for each; 1 leaves the pixels
        as large as they are, as the paper does
    device : where the network is
    """

    mean: Any
    scale: Any
    device: Device

    def __call__(self, images, shifts: np.ndarray | None = None, tone: float = 1.0):
        """What the network sees of pictures, or of the central part of larger ones.

        Parameters
        ----------
        images : (N, H, W, 3) uint8, on the host or on the device
        shifts : (N, 3) float32, on the host: added to red, green and blue after the mean is
            subtracted; None for nothing
        tone : what all is multiplied by besides

        Returns
        -------
        (N, H, W, 3) float32, on the device, as large as the mean picture
        """
        if images.shape[1:] != self.mean.shape:
            images = center(images, len(self.mean))
        if isinstance(images, np.ndarray):
            images = self.device.put(images)
        x = images - self.mean
        if shifts is not None:
            x += self.device.put(shifts)[:, None, None, :]
        x *= self.scale if tone == 1 else self.scale * np.float32(tone)
        return x


def seen(mean: np.ndarray, scale, crop: int, device: Device) -> Input:
    """How pictures enter a network.

    Parameters
    ----------
    mean : (H, W, 3) float32, on the host, of whole pictures
    scale : one number, or one for each channel
    crop : side of the part of a picture that the network sees, pixels; 0 for all of it

    Notes
    -----
    The mean of the central part is subtracted from every part, as cuda-convnet does. (The paper
    reads as if each part lost the mean of its own place, which is what Caffe does.)
    """
    mean = np.ascontiguousarray(center(mean, crop)) if crop else mean
    return Input(device.put(mean), device.put(np.asarray(scale, np.float32)), device)
