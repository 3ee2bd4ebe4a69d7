"""All pictures of what one network has learnt."""

import numpy as np

from minialexnet.data import Dataset, Input
from minialexnet.data.crops import center
from minialexnet.evaluate import probabilities
from minialexnet.layers import Network
from minialexnet.look.attention import attention
from minialexnet.look.confusion import confusion
from minialexnet.look.filters import filters
from minialexnet.look.inside import (
    confused,
    features,
    nearest,
    occlusion,
    outputs,
    saliency,
)
from minialexnet.look.maps import feature_maps
from minialexnet.look.neighbours import neighbours
from minialexnet.look.predictions import predictions

# Test pictures shown in each figure, training pictures searched, neighbours shown, test pictures
# among which the surest errors are looked for, and classes whose table of errors can be read.
SHOWN, SEARCHED, NEIGHBOURS, TESTED, READABLE = 6, 10_000, 6, 2_000, 20


def pictures(net: Network, see: Input, data: Dataset, seed: int = 0) -> dict:
    """The figures of lesson 15, by name.

    Parameters
    ----------
    net : trained, on the host, as it is written (no engine)
    see : how pictures enter it
    data : pictures of the classes that it tells apart
    seed : which pictures are shown
    """
    rng = np.random.default_rng(seed)
    test, train = _some(data.test, TESTED, rng), _some(data.train, SEARCHED, rng)
    side = len(see.mean)
    images, labels = center(test[0], side), test[1]
    some, wanted = images[:SHOWN], labels[:SHOWN]
    believed = probabilities(net, test[0], see)
    maps = see.device.get(next(iter(outputs(net, see(some[:1])).values())))[0]
    near = nearest(features(net, some, see), features(net, train[0], see), NEIGHBOURS)
    covered = [
        occlusion(net, one, label, see, patch=max(1, side // 4), stride=max(1, side // 16))
        for one, label in zip(some, wanted, strict=True)
    ]
    wrong = np.flatnonzero(believed.argmax(axis=1) != labels)
    surest = wrong[np.argsort(-believed[wrong].max(axis=1), kind="stable")][:8]
    figures = {
        "filters": filters(see.device.get(next(iter(net.params.values())))),
        "feature-maps": feature_maps(maps),
        "neighbours": neighbours(some, center(train[0][near], side)),
        "attention": attention(
            some, [data.classes[m] for m in wanted], saliency(net, some, wanted, see), covered
        ),
    }
    if len(data.classes) <= READABLE:
        said = believed.argmax(axis=1)
        counts = confused(labels, said, len(data.classes))
        figures["confusion"] = confusion(counts, data.classes)
    if len(surest):
        figures["mistakes"] = predictions(
            images[surest], labels[surest], believed[surest], data.classes
        )
    return figures


def _some(split, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """So many pictures, drawn without asking what they show, and their classes."""
    order = rng.permutation(len(split.labels))[:count]
    return np.asarray(split.images[np.sort(order)])[np.argsort(np.argsort(order))], split.labels[
        order
    ]
