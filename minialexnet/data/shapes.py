"""Ten geometric shapes, drawn here: a data set that needs no download and is ready in seconds.

Every shape is one formula. It takes coordinates (u, v) in which the shape reaches about one unit
from its middle, and returns the signed distance to its edge: below zero inside, above it outside.
The smaller of two distances is the union of two shapes, the larger one is what they share. Edges
come out smooth because a pixel is covered by half a pixel minus the distance, from none to all.
"""

from numbers import Integral

import numpy as np

from minialexnet.data.prepared import Dataset, Split
from minialexnet.data.statistics import sums
from minialexnet.errors import InputError

SIZE = 32
# Pictures drawn together: their planes fit into a processor's cache.
CHUNK = 100
# The pixels' centres, from the middle of the picture.
Y, X = np.mgrid[:SIZE, :SIZE].astype(np.float32) - np.float32((SIZE - 1) / 2)


def shapes(train: int = 12000, test: int = 2000, seed: int = 0) -> Dataset:
    """Colour pictures of 32 x 32 pixels, each showing one of ten shapes.

    Parameters
    ----------
    train, test : numbers of pictures
    seed : every seed makes another data set

    Returns
    -------
    Dataset in memory; the classes take turns in random order, equally often in every 100 pictures

    Raises
    ------
    InputError
        If train or test is no integer of 1 or more, or seed none of 0 or more.

    Notes
    -----
    Training and test pictures come from separate random streams, and every hundred pictures from
    one of their own: asking for fewer gives the first ones of the same pictures.
    """
    for name, value, least in (("train", train, 1), ("test", test, 1), ("seed", seed, 0)):
        if not isinstance(value, Integral) or value < least:
            raise InputError(f"shapes: expected {name} to be {least} or more, got {value!r}")
    first, second = _split(train, (seed, 0)), _split(test, (seed, 1))
    source = f"shapes drawn by minialexnet, seed {seed}"
    names = tuple(shape.__name__ for shape in SHAPES)
    measured = sums(first.images)
    return Dataset(first, second, names, measured.mean(), source, measured.colours())


def disc(u, v):
    return np.hypot(u, v) - 0.85


def ring(u, v):
    return np.abs(np.hypot(u, v) - 0.72) - 0.2


def crescent(u, v):
    return np.maximum(np.hypot(u, v) - 1, 0.8 - np.hypot(u - 0.5, v))


def triangle(u, v):
    return np.max(_sides(u, v, 3, 0.55), axis=0)


def square(u, v):
    return np.maximum(np.abs(u), np.abs(v)) - 0.75


def star(u, v):
    # The pentagram: within four or five of its five lines.
    return np.sort(_sides(u, v, 5, 0.36), axis=0)[-2]


def cross(u, v):
    u, v = np.abs(u), np.abs(v)
    return np.maximum(np.maximum(u, v) - 1, np.minimum(u, v) - 0.27)


def heart(u, v):
    # A disc whose columns are pushed up, the further from the middle the more.
    return np.hypot(u, v + 0.3 - 0.8 * np.sqrt(np.abs(u))) - 0.85


def arrow(u, v):
    v = np.abs(v)
    head = np.maximum((u + v - 1) / np.sqrt(2), 0.1 - u)
    shaft = np.maximum(np.abs(u + 0.4) - 0.6, v - 0.22)
    return np.minimum(head, shaft)


def hourglass(u, v):
    u, v = np.abs(u), np.abs(v)
    return np.maximum(v - 0.9, (u - 0.8 * v - 0.1) / 1.28)


def _sides(u, v, count, inradius):
    """Distances to the lines of a regular polygon, (count, N, H, W)."""
    angles = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(a) * u + np.sin(a) * v for a in angles]) - inradius


SHAPES = (disc, ring, crescent, triangle, square, star, cross, heart, arrow, hourglass)


def _split(count: int, stream: tuple[int, int]) -> Split:
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    labels = np.empty(count, np.int64)
    for start in range(0, count, CHUNK):
        rng = np.random.default_rng([*stream, start // CHUNK])
        here = slice(start, start + CHUNK)
        drawn = rng.permutation(CHUNK) % len(SHAPES)
        labels[here] = drawn[: count - start]
        images[here] = _pictures(drawn, rng)[: count - start]
    return Split(images, labels)


def _pictures(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pictures of the shapes named by labels, (N, H, W, 3) uint8.

    While they are being painted, the colours come first, (3, N, H, W): NumPy is several times
    faster on long rows of pixels than on rows of three colours.
    """
    # The background: a dark colour that drifts, with waves in half of the pictures.
    ground = _uniform(rng, 20, 115, 3)
    drift = _uniform(rng, -30, 30, 3)
    along, across = _frame(rng, 8)
    waves = np.sin(along * _uniform(rng, 0.2, 1)) * np.sin(across * _uniform(rng, 0.2, 1))
    image = ground + drift * along / 16 + waves * np.maximum(_uniform(rng, -25, 25), 0)

    # Clutter behind the shape: long thin strokes and short thick ones.
    for length, width in ((12, 0.8), (6, 1.2), (1, 2.5)):
        colour = _uniform(rng, 0, 255, 3)
        image = _painted(image, _stroke(rng, length, width), colour)

    # The shape, in the one of three bright colours that differs most from the background. Shapes
    # as often dark as bright are much harder to begin to learn for a small network.
    choice = _uniform(rng, 90, 255, 3, 3)
    best = np.argmax(((choice - ground) ** 2).sum(axis=1), axis=0)
    colour = np.take_along_axis(choice, best[None, None], axis=0)[0]
    image = _painted(image, _outline(labels, rng), colour)

    # A stroke in front of it in half of the pictures.
    colour = _uniform(rng, 0, 255, 3)
    image = _painted(image, _stroke(rng, 14, 1.6), colour)

    # Light from one side, and the grain of the film.
    along, _ = _frame(rng, 8)
    image = image * (_uniform(rng, 0.75, 1.15) + _uniform(rng, 0, 0.025) * along)
    image += _uniform(rng, 2, 10) * rng.standard_normal(image.shape, np.float32)
    return np.clip(image, 0, 255).astype(np.uint8).transpose(1, 2, 3, 0)


def _outline(labels, rng):
    """Signed distances, in pixels, to one shape in each picture: any size, place and pose."""
    radius = _uniform(rng, 10, 14)
    u, v = _frame(rng, 15 - radius)
    stretch = np.exp(_uniform(rng, -0.15, 0.15))
    u, v = u / radius * stretch, v / radius / stretch
    u = u + _uniform(rng, -0.15, 0.15) * v
    distance = np.empty_like(u)
    for label, shape in enumerate(SHAPES):
        these = labels == label
        distance[these] = shape(u[these], v[these])
    return distance * radius


def _stroke(rng, length, width):
    """Signed distances, in pixels, to a round-ended stroke; half of the pictures have none."""
    along, across = _frame(rng, 14)
    beyond = np.maximum(np.abs(along) - _uniform(rng, 0, length), 0)
    return np.hypot(beyond, across) - _uniform(rng, -width, width)


def _frame(rng, reach):
    """Coordinates (N, H, W) in pixels, turned at random about a point at most reach off centre."""
    angle = _uniform(rng, 0, 2 * np.pi)
    x, y = X - _uniform(rng, -reach, reach), Y - _uniform(rng, -reach, reach)
    return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x


def _painted(image, distance, colour):
    return image + np.clip(0.5 - distance, 0, 1) * (colour - image)


def _uniform(rng, low, high, *planes):
    """One number, or one in each plane, for each picture, (*planes, N, 1, 1) float32."""
    return rng.uniform(low, high, (*planes, CHUNK, 1, 1)).astype(np.float32)
