"""How good a network is: error rates, and its predictions for pictures."""

from collections.abc import Iterator

import numpy as np

from minialexnet.backend import namespace
from minialexnet.data import Input, Split, ten_crops
from minialexnet.loss import softmax


def scores(
    net, images: np.ndarray, see: Input, crops: str = "center", batch: int = 250
) -> Iterator:
    """The network's scores in evaluation, batch after batch, so that any number of images fits.

    Parameters
    ----------
    images : (N, H, W, 3) uint8, on the host
    see : how pictures enter the network
    crops : "center" looks at the central part of each picture, "ten" at the four corners, the
        centre and their mirror images, and averages the ten probabilities (paper, section 4.1)
    batch : images at a time

    Yields
    ------
    (N, M) on the device; for ten crops the logarithms of the mean probabilities
    """
    for first in range(0, len(images), batch):
        some = images[first : first + batch]
        if crops == "center":
            yield net(see(some))
        else:
            size = len(see.mean)
            yield _mean_belief([net(see(part)) for part in ten_crops(some, size)])


def _mean_belief(views: list):
    """The logarithm of the mean over the views of softmax(scores)."""
    xp = namespace(*views)
    total = sum(softmax(view.astype("float64")) for view in views) / len(views)
    # A probability that is 0 even in float64 has no logarithm.
    return xp.log(xp.maximum(total, np.finfo("float64").tiny)).astype(views[0].dtype)


def count_wrong(scores, labels, top: int = 1):
    """For how many images the right class is not among the `top` highest scores.

    Parameters
    ----------
    scores : (N, M)
    labels : (N,) integers

    Returns
    -------
    0-d integer array, images

    Notes
    -----
    A class with the same score as the right one counts as above it, so a network that says the
    same for all classes is always wrong (cuda-convnet counts 1 / number of equals). So is one that
    says NaN. With no more than `top` classes nothing is wrong but NaN.
    """
    xp = namespace(scores, labels)
    right = scores[xp.arange(len(labels)), labels][:, None]
    # The right class is not below itself, hence the 1.
    not_below = (~(scores < right)).sum(axis=1) - 1
    return ((not_below >= top) | (right != right)[:, 0]).sum()


def customary_tops(classes) -> tuple[int, ...]:
    """The k of the error rates worth saying: top-5 says little with ten classes or fewer."""
    return (1, 5) if len(classes) > 10 else (1,)


def error_rates(
    net, split: Split, see: Input, tops=(1,), crops: str = "center"
) -> tuple[float, ...]:
    """Top-k error rates over a whole split, every image counted once.

    Parameters
    ----------
    see, crops : how pictures enter the network, as for `scores`
    tops : the k of each rate wanted, (1, 5) for the paper's two

    Returns
    -------
    shares of 1, one for each k
    """
    wrong = [0] * len(tops)
    first = 0
    for part in scores(net, split.images, see, crops):
        labels = see.device.put(split.labels[first : first + len(part)])
        for i, top in enumerate(tops):
            wrong[i] += int(see.device.get(count_wrong(part, labels, top)))
        first += len(part)
    return tuple(count / first for count in wrong)


def probabilities(net, images: np.ndarray, see: Input, crops: str = "center") -> np.ndarray:
    """What the network believes of each picture: (N, M) shares of 1, on the host."""
    parts = scores(net, images, see, crops)
    return np.concatenate([see.device.get(softmax(part)) for part in parts])
