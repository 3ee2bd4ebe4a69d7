"""Parts of pictures: random ones to learn from, the central one or ten to be tested on.

The paper's section 4.1. All of it works on pictures wherever they are.
"""

import numpy as np

from minialexnet.backend import namespace
from minialexnet.windows import windows

# How a picture is looked at in a test.
CROPS = ("center", "ten")


def center(images, size: int):
    """The central part of each picture.

    Parameters
    ----------
    images : (N, H, W, 3), or one picture, (H, W, 3)
    size : side of the part, pixels

    Returns
    -------
    (N, size, size, 3), or (size, size, 3), a view
    """
    height, width, _ = images.shape[-3:]
    top, left = (height - size) // 2, (width - size) // 2
    return images[..., top : top + size, left : left + size, :]


def ten_crops(images, size: int) -> list:
    """The four corners, the centre, and their mirror images.

    Parameters
    ----------
    images : (N, H, W, 3)
    size : side of a part, pixels

    Returns
    -------
    ten views of (N, size, size, 3)
    """
    first, last = slice(None, size), slice(-size, None)
    corners = [(rows, columns) for rows in (first, last) for columns in (first, last)]
    parts = [images[:, rows, columns] for rows, columns in corners]
    parts.append(center(images, size))
    return parts + [part[:, :, ::-1] for part in parts]


def random_crops(images, size: int, rng: np.random.Generator):
    """A part of each picture, anywhere in it.

    Parameters
    ----------
    images : (N, H, W, 3)
    size : side of a part, pixels
    rng : draws the places

    Returns
    -------
    (N, size, size, 3)
    """
    every = windows(images, size, stride=1)
    xp = namespace(images)
    count, rows, columns = every.shape[:3]
    tops = xp.asarray(rng.integers(rows, size=count))
    lefts = xp.asarray(rng.integers(columns, size=count))
    return every[xp.arange(count), tops, lefts]


def random_flips(images, rng: np.random.Generator):
    """Each picture, or its mirror image at a chance of one half.

    Parameters
    ----------
    images : (N, H, W, 3)
    rng : draws which
    """
    xp = namespace(images)
    flipped = xp.asarray(rng.random(len(images)) < 0.5)
    return xp.where(flipped[:, None, None, None], images[:, :, ::-1], images)
