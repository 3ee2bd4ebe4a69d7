"""The numbers behind the pictures of what a network has learnt."""

import numpy as np

from minialexnet.data import Input
from minialexnet.layers import Linear, Network
from minialexnet.loss import softmax

# Pictures at a time.
BATCH = 250


def outputs(net: Network, x) -> dict:
    """The output of every layer in evaluation, by name."""
    found = {}
    for name, layer in net.layers.items():
        found[name] = x = layer(x)
    return found


def last_hidden(net: Network) -> str:
    """The name of the layer whose output the last matrix reads: fc8 reads drop7 in AlexNet."""
    names = list(net.layers)
    last = max(n for n, layer in enumerate(net.layers.values()) if isinstance(layer, Linear))
    return names[last - 1]


def features(net: Network, images: np.ndarray, see: Input) -> np.ndarray:
    """What the last hidden layer says of each picture: (N, D), on the host.

    Parameters
    ----------
    images : (N, H, W, 3) uint8
    """
    until = last_hidden(net)
    parts = []
    for first in range(0, len(images), BATCH):
        x = see(images[first : first + BATCH])
        for name, layer in net.layers.items():
            x = layer(x)
            if name == until:
                break
        parts.append(see.device.get(x).reshape(len(x), -1))
    return np.concatenate(parts)


def nearest(queries: np.ndarray, among: np.ndarray, count: int) -> np.ndarray:
    """The nearest rows by Euclidean distance, the nearest first: (Q, count) row numbers.

    Parameters
    ----------
    queries : (Q, D)
    among : (N, D)

    Notes
    -----
    |q - a|² = |q|² - 2 q a + |a|², and |q|² is the same for all a.
    """
    queries, among = queries.astype(np.float64), among.astype(np.float64)
    distances = (among**2).sum(axis=1) - 2 * queries @ among.T
    return np.argsort(distances, axis=1, kind="stable")[:, :count]


def saliency(net: Network, images: np.ndarray, labels, see: Input) -> np.ndarray:
    """How much a class's score changes with each pixel: (N, H, W), on the host.

    The largest over the three colours of |d score[label] / d pixel| (Simonyan et al., 2013).

    Parameters
    ----------
    images : (N, H, W, 3) uint8
    labels : (N,) the class of each picture that is asked about
    """
    x = see(images)
    first = next(iter(net.layers.values()))
    convolutions = list(getattr(first, "layers", {"": first}).values())
    before = [one.input_grad for one in convolutions]
    try:
        for one in convolutions:
            one.input_grad = True
        scores, cache = net.forward(x)
        chosen = np.zeros(scores.shape, np.float32)
        chosen[np.arange(len(chosen)), labels] = 1
        dx, _ = net.backward(see.device.put(chosen), cache)
    finally:
        for one, was in zip(convolutions, before, strict=True):
            one.input_grad = was
    return np.abs(see.device.get(dx * see.scale)).max(axis=3)


def occlusion(net, image: np.ndarray, label: int, see: Input, patch: int = 8, stride: int = 2):
    """The class's probability with a grey square laid over each place (Zeiler and Fergus, 2014).

    The square has the colours of the mean picture, which the network sees as zeros.

    Parameters
    ----------
    image : (H, W, 3) uint8
    label : the class that is asked about
    patch, stride : side of the square and its step, pixels

    Returns
    -------
    (rows, columns) shares of 1, a number for each place of the square
    """
    x = see.device.get(see(image[None]))[0]
    tops, lefts = (range(0, size - patch + 1, stride) for size in x.shape[:2])
    covered = []
    for top in tops:
        for left in lefts:
            one = x.copy()
            one[top : top + patch, left : left + patch] = 0
            covered.append(one)
    answers = [
        see.device.get(softmax(net(see.device.put(np.stack(covered[n : n + BATCH])))))[:, label]
        for n in range(0, len(covered), BATCH)
    ]
    return np.concatenate(answers).reshape(len(tops), len(lefts))


def confused(labels: np.ndarray, said: np.ndarray, classes: int) -> np.ndarray:
    """How many pictures of each class were taken for each: (M, M), the right classes in rows.

    Parameters
    ----------
    labels, said : (N,) the right class of each picture, and the one found most probable
    """
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (labels, said), 1)
    return counts


def agreement(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether two maps of a picture rank its places alike: (N,), from -1 to 1.

    Parameters
    ----------
    first, second : (N, ...) a map for each picture

    Notes
    -----
    Spearman's: the correlation of the ranks, so that only what is above what counts, not by how
    much. Equal numbers share their mean rank. A map that is the same everywhere ranks nothing: 0.
    """
    ranks = [
        np.stack([_ranks(one) for one in maps.reshape(len(maps), -1)]) for maps in (first, second)
    ]
    a, b = (one - one.mean(axis=1, keepdims=True) for one in ranks)
    spread = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    return (a * b).sum(axis=1) / np.where(spread == 0, 1, spread)


def _ranks(numbers: np.ndarray) -> np.ndarray:
    _, place, times = np.unique(numbers, return_inverse=True, return_counts=True)
    return (np.cumsum(times) - (times - 1) / 2)[place]
