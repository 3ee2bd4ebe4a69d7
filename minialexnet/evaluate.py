"""How good a network is: error rates, and its predictions for pictures."""

from collections.abc import Iterator

import numpy as np

from minialexnet.backend import namespace
from minialexnet.data import Input, Split
from minialexnet.loss import softmax


def scores(net, images: np.ndarray, see: Input, batch: int = 250) -> Iterator:
    """The network's scores in evaluation, batch after batch, so that any number of images fits.

    Parameters
    ----------
    images : (N, H, W, 3) uint8, on the host
    see : how pictures enter the network
    batch : images at a time

    Yields
    ------
    (N, M) on the device
    """
    for first in range(0, len(images), batch):
        yield net(see(images[first : first + batch]))


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


def error_rates(net, split: Split, see: Input, tops=(1,)) -> tuple[float, ...]:
    """Top-k error rates over a whole split, every image counted once.

    Parameters
    ----------
    see : how pictures enter the network
    tops : the k of each rate wanted, (1, 5) for the paper's two

    Returns
    -------
    shares of 1, one for each k
    """
    wrong = [0] * len(tops)
    first = 0
    for part in scores(net, split.images, see):
        labels = see.device.put(split.labels[first : first + len(part)])
        for i, top in enumerate(tops):
            wrong[i] += int(see.device.get(count_wrong(part, labels, top)))
        first += len(part)
    return tuple(count / first for count in wrong)


def probabilities(net, images: np.ndarray, see: Input) -> np.ndarray:
    """What the network believes of each picture: (N, M) shares of 1, on the host."""
    return np.concatenate([see.device.get(softmax(part)) for part in scores(net, images, see)])
