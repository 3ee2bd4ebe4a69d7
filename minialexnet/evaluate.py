"""How good a network is: error rates, and its predictions for pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minialexnet.backend import namespace
from minialexnet.data import Input, Split, ten_crops
from minialexnet.data.mapped import forget
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
        forget(images)


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
    wrong = wrong_counts(net, split, see, tops, crops)
    return tuple(count / len(split.labels) for count in wrong)


def wrong_counts(net, split: Split, see: Input, tops=(1,), crops: str = "center") -> list[int]:
    """The same as counts of images; several processes may each count some of them."""
    wrong = [0] * len(tops)
    first = 0
    for part in scores(net, split.images, see, crops):
        labels = see.device.put(split.labels[first : first + len(part)])
        for i, top in enumerate(tops):
            wrong[i] += int(see.device.get(count_wrong(part, labels, top)))
        first += len(part)
    return wrong


@dataclass(frozen=True)
class Member:
    """A network of an ensemble, and how pictures enter it."""

    net: Any
    see: Input
    crops: str = "center"


def ensemble_error_rates(
    members: Sequence[Member], split: Split, tops=(1,)
) -> tuple[list[tuple[float, ...]], tuple[float, ...]]:
    """Top-k error rates of several networks, and of what they believe together.

    The probabilities of all networks are averaged, as the paper does for five and for seven of
    them (section 6, table 2).

    Parameters
    ----------
    members : networks for the same classes
    tops : the k of each rate wanted

    Returns
    -------
    alone : for each member its rates, shares of 1, one for each k
    together : those of the mean
    """
    wrong = np.zeros((len(members) + 1, len(tops)), np.int64)
    first = 0
    parts = [scores(one.net, split.images, one.see, one.crops) for one in members]
    for said in zip(*parts, strict=True):
        said = [one.see.device.get(part) for one, part in zip(members, said, strict=True)]
        mean = sum(softmax(one.astype(np.float64)) for one in said) / len(said)
        labels = split.labels[first : first + len(mean)]
        for row, answers in enumerate([*said, mean]):
            wrong[row] += [int(count_wrong(answers, labels, top)) for top in tops]
        first += len(labels)
    *alone, mean = (tuple((row / first).tolist()) for row in wrong)
    return alone, mean


def probabilities(net, images: np.ndarray, see: Input, crops: str = "center") -> np.ndarray:
    """What the network believes of each picture: (N, M) shares of 1, on the host."""
    parts = scores(net, images, see, crops)
    return np.concatenate([see.device.get(softmax(part)) for part in parts])
