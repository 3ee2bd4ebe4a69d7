"""What is measured of the training pictures: their mean, and in which ways their colours vary.

All sums are of integers and therefore exact: the result does not depend on how the pictures are cut
into pieces, nor on the order in which the pieces are done.
"""

from dataclasses import dataclass, field

import numpy as np

# Pictures, and pixels of them, worked on at a time: these stay in a processor's cache.
PICTURES = 64
PIXELS = 2**13


@dataclass(frozen=True)
class Colours:
    """The principal components of the colours (paper, section 4.1).

    Parameters
    ----------
    deviations : (3,) float64, standard deviation of the pixels along each component, ascending,
        in units of pixels, 0 ... 255
    directions : (3, 3) float64, a component a column, each of length 1

    Notes
    -----
    The paper says that eigenvalues are multiplied by numbers drawn with a standard deviation of
    0.1. Eigenvalues of a covariance are squares: those of ImageNet reach 14,830, which would change
    pixels of 0 ... 255 by a thousand. What was run multiplies their roots, the standard deviations,
    19.7, 37.1 and 121.8 (color_pca in the data files of cuda-convnet2).
    """

    deviations: np.ndarray
    directions: np.ndarray

    def shifts(self, drawn: np.ndarray) -> np.ndarray:
        """What is added to the red, green and blue of each picture.

        Parameters
        ----------
        drawn : (N, 3) how far along each component, in standard deviations

        Returns
        -------
        (N, 3) float32, pixels
        """
        return ((drawn * self.deviations) @ self.directions.T).astype(np.float32)


@dataclass
class Sums:
    """Sums over pictures of one size.

    Parameters
    ----------
    total : (H, W, 3) uint64, of the pixels
    cross : (3, 3) uint64, over all pixels, of each colour times each colour
    count : pictures
    """

    total: np.ndarray
    cross: np.ndarray = field(default_factory=lambda: np.zeros((3, 3), np.uint64))
    count: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.total + other.total, self.cross + other.cross, self.count + other.count)

    def mean(self) -> np.ndarray:
        """The mean picture, (H, W, 3) float32, which section 2 of the paper subtracts."""
        return (self.total / self.count).astype(np.float32)

    def colours(self) -> Colours:
        """How the colours of all pixels vary about their mean."""
        pixels = self.count * self.total.shape[0] * self.total.shape[1]
        mean = self.total.sum(axis=(0, 1)) / pixels
        values, vectors = np.linalg.eigh(self.cross / pixels - np.outer(mean, mean))
        # A component has no sign of its own: its largest entry is made positive.
        largest = vectors[abs(vectors).argmax(axis=0), range(3)]
        # Rounding hides what differs from one linear-algebra library to another.
        return Colours(
            np.round(np.sqrt(np.maximum(values, 0)), 6), np.round(vectors * np.sign(largest), 8)
        )


def sums(images: np.ndarray) -> Sums:
    """The sums over pictures.

    Parameters
    ----------
    images : (N, H, W, 3) uint8, possibly memory-mapped
    """
    found = Sums(np.zeros(images.shape[1:], np.uint64))
    for start in range(0, len(images), PICTURES):
        part = images[start : start + PICTURES]
        found.count += len(part)
        found.total += part.sum(axis=0, dtype=np.uint32)
        pixels = part.reshape(-1, 3)
        for first in range(0, len(pixels), PIXELS):
            some = pixels[first : first + PIXELS]
            planes = [some[:, channel].astype(np.float64) for channel in range(3)]
            # Whole numbers below 2^53, of which float64 loses nothing.
            cross = [[one @ other for other in planes] for one in planes]
            found.cross += np.array(cross).astype(np.uint64)
    return found
