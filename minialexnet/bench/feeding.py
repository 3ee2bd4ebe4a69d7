"""How fast pictures are handed to a network, against the speed at which memory is copied."""

from concurrent.futures import ThreadPoolExecutor
from statistics import median
from time import perf_counter

import numpy as np

from minialexnet import data
from minialexnet.backend import device
from minialexnet.data import Feed, Look, Split, Views, drawn_mirrors, drawn_places, seen
from minialexnet.errors import InputError

# Pictures that are used over and over, so that they stay in the operating system's memory.
PICTURES = 8192
# Bytes that each thread copies at a time, far more than any cache holds.
COPIED = 2**27


def feeding_speeds(name: str, crop: int, batch: int, rounds: int) -> dict:
    """Speeds in turn, a round each: of copying memory, and of feeding pictures.

    Parameters
    ----------
    name : a data set
    crop : side of the parts that are cut out at random places, pixels
    batch : images in a batch
    rounds : how often each is measured

    Raises
    ------
    InputError
        If the pictures are smaller than that.
    """
    pictures = data.load(name)
    height, width, _ = pictures.mean.shape
    if min(height, width) < crop:
        raise InputError(f"{name} has pictures of {height} x {width} pixels, too small for {crop}")
    count = min(PICTURES, len(pictures.train.labels))
    split = Split(pictures.train.images[:count], pictures.train.labels[:count])
    kinds = {"crops": False, "crops, half of them mirrored": True}
    for mirrored in kinds.values():
        _fed(split, crop, batch, mirrored)  # fetches them from the disk, once
    speeds = {"copying": [], **{kind: [] for kind in kinds}}
    for _ in range(rounds):
        speeds["copying"].append(max(_copied(1), _copied(2)))
        for kind, mirrored in kinds.items():
            speeds[kind].append(_fed(split, crop, batch, mirrored))
    bytes_each = crop * crop * 3
    return {
        "data": pictures.source,
        "pictures": count,
        "size": height,
        "crop": crop,
        "batch": batch,
        "speeds": speeds,
        "shares": {
            kind: median(
                fed * bytes_each / copied
                for fed, copied in zip(speeds[kind], speeds["copying"], strict=True)
            )
            for kind in kinds
        },
    }


def _fed(split: Split, crop: int, batch: int, mirrored: bool) -> float:
    """Parts of pictures a second, over all of them in random order."""
    rows, columns = (side - crop + 1 for side in split.images.shape[1:3])

    def views(step: int, count: int) -> Views:
        rng = np.random.default_rng(step)
        none = np.zeros(count, bool)
        places = drawn_places(rng, count, rows, columns)
        return Views(*places, drawn_mirrors(rng, count) if mirrored else none)

    order = np.random.default_rng(0).permutation(len(split.labels))
    see = seen(np.zeros((crop, crop, 3), np.float32), 1.0, 0, device("cpu"))
    feed = Feed(split, order, batch, Look(crop, views), see)
    started = perf_counter()
    fed = sum(len(labels) for _, labels, _ in feed.batches())
    return fed / (perf_counter() - started)


def _copied(threads: int) -> float:
    """Bytes a second that so many threads copy."""
    pairs = [(np.ones(COPIED, np.uint8), np.ones(COPIED, np.uint8)) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        started = perf_counter()
        list(pool.map(lambda pair: np.copyto(*pair), pairs))
        return threads * COPIED / (perf_counter() - started)
