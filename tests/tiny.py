"""Data sets and networks so small that a test can train on them."""

import hashlib
import itertools
import json
from pathlib import Path

import numpy as np

from minialexnet.data import Dataset, Split
from minialexnet.data.statistics import sums
from minialexnet.data.writing import new_prepared
from minialexnet.layers import Conv2D, Flatten, Linear, MaxPool, Network, ReLU

CLASSES = ("circle", "square", "star")


def split(count, classes=3, size=32, seed=0) -> Split:
    """Pictures of one colour a class, with noise: easy to learn, no two alike."""
    rng = np.random.default_rng([seed, count])
    labels = np.arange(count) % classes
    colours = np.random.default_rng(1).integers(60, 200, (classes, 1, 1, 3))
    noise = rng.integers(-40, 41, (count, size, size, 3))
    return Split((colours[labels] + noise).astype(np.uint8), labels)


def dataset(train=24, test=12, classes=3, size=32) -> Dataset:
    """A data set in memory."""
    first, second = split(train, classes, size), split(test, classes, size, seed=1)
    names = CLASSES if classes == 3 else tuple(f"class{m}" for m in range(classes))
    measured = sums(first.images)
    return Dataset(first, second, names, measured.mean(), "coloured noise", measured.colours())


def prepared(folder, **sizes) -> Path:
    """The same data set on disk."""
    data = dataset(**sizes)
    with new_prepared(
        folder,
        train=len(data.train.labels),
        test=len(data.test.labels),
        size=data.mean.shape[0],
        classes=data.classes,
        source=data.source,
    ) as splits:
        for there, here in zip(splits, (data.train, data.test), strict=True):
            there.images[:], there.labels[:] = here.images, here.labels
    return Path(folder)


def foreign(folder) -> Path:
    """A prepared data set turned into what other tools make, without colours and checksums."""
    meta = json.loads((folder / "meta.json").read_text())
    for key in ("colours", "checksums", "checksum"):
        del meta[key]
    (folder / "meta.json").write_text(json.dumps(meta))
    (folder / "checksums.npy").unlink()
    return folder


def network(classes=3, size=8, seed=0) -> Network:
    """One convolution and one matrix, for pictures of `size` pixels."""
    rng = np.random.default_rng(seed)
    side = (size - 3) // 2 + 1
    return Network(
        {
            "conv1": Conv2D(3, 4, 3, pad=1, rng=rng, input_grad=False),
            "relu1": ReLU(),
            "pool1": MaxPool(3, 2),
            "flatten": Flatten(),
            "fc2": Linear(4 * side * side, classes, rng=rng),
        }
    )


def contents(*folders) -> dict[str, str]:
    """Every file and folder below these, hidden ones too, with a checksum of what is in it."""
    paths = itertools.chain.from_iterable(Path(folder).rglob("*") for folder in folders)
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in paths
    }


def same(first: dict, second: dict) -> bool:
    """Whether two dicts hold the same names in the same order and the same arrays, bit for bit."""
    return list(first) == list(second) and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(first.values(), second.values(), strict=True)
    )
