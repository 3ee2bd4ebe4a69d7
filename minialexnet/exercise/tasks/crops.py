"""The exercise on crops and flips."""

import numpy as np

from minialexnet import strict
from minialexnet.data.augment import Views, parts
from minialexnet.exercise.base import Check, Exercise, Failed
from minialexnet.exercise.compare import same
from minialexnet.exercise.probe import PICTURES, demand_dtype, unwritten
from minialexnet.exercise.source import Source
from minialexnet.exercise.training import SHAPE, compare_losses, losses


def naive(images, which, views, size=0):
    """Pixel by pixel."""
    count, (_, height, width, channels) = len(which), images.shape
    rows, columns = (size, size) if size else (height, width)
    seen = np.zeros((count, rows, columns, channels), images.dtype)
    for n, i, j, c in np.ndindex(seen.shape):
        top, left = (int(views.tops[n]), int(views.lefts[n])) if size else (0, 0)
        column = columns - 1 - j if views.mirrored[n] else j
        seen[n, i, j, c] = images[which[n], top + i, left + column, c]
    return seen


def _scene(rng, size=None):
    """(images, which, views, size): H != W, some mirrored, in another order, one twice."""
    height, width = (int(i) for i in rng.permutation([6, 7, 8])[:2])
    size = int(rng.integers(3, 5)) if size is None else size
    images = rng.integers(256, size=(5, height, width, 3)).astype(np.uint8)
    which = rng.permutation(5)[[0, 1, 2, 3, 0, 4]]
    room = (height - size + 1, width - size + 1)
    tops, lefts = (rng.integers(places, size=6) for places in room)
    # The outermost places are among them, and they are not the same down and across.
    tops[:3], lefts[:3] = (room[0] - 1, 0, 1), (0, room[1] - 1, 2)
    mirrored = rng.permutation([True, False, True, False, True, False])
    return images, which, Views(tops, lefts, mirrored), size


def _tried(candidate, images, which, views, size):
    seen = candidate(images, which, views, size)
    if not isinstance(seen, np.ndarray):
        raise Failed(f"an array should be returned, got {type(seen).__name__}")
    return seen


def _slips(images, which, views, size):
    def of(which=which, tops=views.tops, lefts=views.lefts, mirrored=views.mirrored, of=images):
        return parts(of, which, Views(tops, lefts, mirrored), size)

    none, every = np.zeros_like(views.mirrored), np.ones_like(views.mirrored)
    plain = of(mirrored=none)
    upside = plain.copy()
    upside[views.mirrored] = upside[views.mirrored][:, ::-1]
    both = plain.copy()
    both[views.mirrored] = both[views.mirrored][:, ::-1, ::-1]
    yield plain, "none are mirrored: those of views.mirrored should be"
    yield of(mirrored=every), "all are mirrored: only those of views.mirrored should be"
    yield of(mirrored=~views.mirrored), "the others are mirrored"
    yield upside, "turned upside down: left and right should change places, not top and bottom"
    yield both, "turned by 180 degrees: only left and right should change places"
    colours = plain.copy()
    colours[views.mirrored] = colours[views.mirrored][..., ::-1]
    yield colours, "the colours are turned round (red and blue): axis 2 holds the columns"
    yield (
        lambda: of(mirrored=views.mirrored[which]),
        "mirrored belongs to the parts, in their order",
    )
    yield lambda: of(tops=views.lefts, lefts=views.tops), "tops and lefts are swapped"
    count = np.arange(len(which)) % len(images)
    yield lambda: of(which=count), "which is ignored: part n is of picture which[n]"
    yield (
        lambda: of(tops=views.tops[which], lefts=views.lefts[which]),
        ("tops and lefts belong to the parts, in their order"),
    )
    first = np.full_like(views.tops, views.tops[0]), np.full_like(views.lefts, views.lefts[0])
    yield lambda: of(tops=first[0], lefts=first[1]), "all have the place of the first part"
    zero = np.zeros_like(views.tops)
    yield lambda: of(tops=zero, lefts=zero), "all parts begin at the corner: tops and lefts count"
    middle = zero + (images.shape[1] - size) // 2, zero + (images.shape[2] - size) // 2
    yield lambda: of(tops=middle[0], lefts=middle[1]), "all parts are from the middle"
    yield lambda: of(of=images[:, :, ::-1], mirrored=none), "all mirrored, before they are cut"
    turned = images[which]
    turned[views.mirrored] = turned[views.mirrored][:, :, ::-1]
    order = np.arange(len(which))
    yield (
        lambda: of(which=order, of=turned, mirrored=none),
        ("mirrored before it was cut: then the part is another one; cut first"),
    )
    for by, word in ((1, "too far down"), (-1, "too high")):
        tops = np.clip(views.tops + by, 0, images.shape[1] - size)
        yield (lambda tops=tops: of(tops=tops)), f"the parts begin one row {word}"
        lefts = np.clip(views.lefts + by, 0, images.shape[2] - size)
        yield (lambda lefts=lefts: of(lefts=lefts)), "the parts begin one column aside"
    yield plain.swapaxes(1, 2), "rows and columns of the parts are swapped"
    yield of().swapaxes(1, 2), "rows and columns of the parts are swapped"
    yield of() / 255, "pixels are to stay what they are: no division by 255"
    yield images[which], "whole pictures: with a size, parts are asked for"


def _compare(candidate, scene, said):
    images, which, views, size = scene
    seen = _tried(candidate, images.copy(), which, views, size)
    want = naive(images, which, views, size)
    where = f"{said}, images {images.shape}, size {size}"
    same("seen", seen, want, slips=_slips(images, which, views, size), axes=PICTURES, where=where)


def _shapes(candidate, rng):
    for size in (None, 0):
        images, which, views, size = _scene(rng, size)
        seen = _tried(candidate, images, which, views, size)
        if seen.shape != naive(images, which, views, size).shape:
            _compare(candidate, (images, which, views, size), "shapes")


def _by_hand(candidate, rng):
    colours = np.array([0.0, 100.0, 200.0])
    images = np.arange(12.0).reshape(1, 3, 4, 1) + colours
    views = Views(np.array([1, 0]), np.array([2, 1]), np.array([False, True]))
    seen = _tried(candidate, images.copy(), np.array([0, 0]), views, 2)
    rows = [[[6, 7], [10, 11]], [[2, 1], [6, 5]]]
    want = np.array(rows)[..., None] + colours
    slips = _slips(images, np.array([0, 0]), views, 2)
    where = "by hand: red is 0 ... 11 in rows of 4; (top 1, left 2), (0, 1) mirrored; size 2"
    same("seen", seen, want, slips=slips, axes=PICTURES, where=where)


def _plain(candidate, rng):
    images, which, views, size = _scene(rng)
    straight = Views(views.tops, views.lefts, np.zeros(len(which), bool))
    _compare(candidate, (images, which, straight, size), "none mirrored")


def _mirrored(candidate, rng):
    _compare(candidate, _scene(rng), "some mirrored")
    images, which, views, size = _scene(rng)
    every = Views(views.tops, views.lefts, np.ones(len(which), bool))
    _compare(candidate, (images, which, every, size), "all mirrored")


def _whole(candidate, rng):
    _compare(candidate, _scene(rng, 0), "whole pictures")


def _largest(candidate, rng):
    """A part as large as the picture, and one of a single pixel."""
    images, which, views, _ = _scene(rng)
    side = min(images.shape[1:3])
    zero = np.zeros_like(views.tops)
    square = images[:, :side, :side]
    _compare(candidate, (square, which, Views(zero, zero, views.mirrored), side), "all of it")
    _compare(candidate, (images, which, views, 1), "one pixel")


def _dtype(candidate, rng):
    for dtype in ("uint8", "float32", "float64"):
        images, *rest = _scene(rng)
        seen = _tried(candidate, images.astype(dtype), *rest)
        demand_dtype("seen", seen, dtype, "pixels stay what they are", given="images")


def _untouched(candidate, rng):
    for size in (None, 0):
        images, which, views, size = _scene(rng, size)
        given = {"images": images, "which": which, "tops": views.tops, "lefts": views.lefts}
        given["mirrored"] = views.mirrored
        before = {name: array.copy() for name, array in given.items()}
        seen = _tried(candidate, images, which, views, size)
        for name, array in given.items():
            unwritten(name, array, before[name], "your function")
        if np.shares_memory(seen, images):
            raise Failed("what is returned is a view of images: a new array is asked for")
        # A memory-mapped data set may not be written to.
        images.flags.writeable = False
        _tried(candidate, images, which, views, size)


def _see(function):
    """Shows a network parts of pictures that were first made larger by a frame."""

    def see(x, step):
        rng = np.random.default_rng(step)
        count, height, width, _ = SHAPE
        framed = np.zeros((count, height + 4, width + 6, 3), x.dtype)
        framed[:, 2:-2, 3:-3] = x
        tops, lefts = rng.integers(5, size=count), rng.integers(5, size=count)
        views = Views(tops, lefts, rng.random(count) < 0.5)
        seen = function(framed, rng.permutation(count), views, height)
        return np.ascontiguousarray(seen[:, :, 1 : 1 + width])

    return see


def _trains(candidate, rng):
    seed = int(rng.integers(2**31))
    compare_losses(seed, losses(seed, see=_see(parts)), see=_see(candidate))


def _accelerated(candidate, rng):
    images, which, views, size = _scene(rng)
    seen = candidate(strict.asarray(images), which, views, size)
    if not np.array_equal(strict.asnumpy(seen), naive(images, which, views, size)):
        raise Failed("what is seen on an accelerator is not what is seen on NumPy")


EXERCISE = Exercise(
    name="crops",
    title="Crops and flips",
    provides="parts",
    minutes=40,
    task="""
Write the function that cuts parts out of pictures and mirrors some of them (paper, section 4.1):
more pictures to learn from than there are. Part n is of the picture `images[which[n]]`, begins at
row `views.tops[n]` and column `views.lefts[n]`, has `size` rows and columns, and is then mirrored,
left to right, if `views.mirrored[n]`. Where pictures begin and which are mirrored has been drawn
already. With size=0 whole pictures are seen, whatever tops and lefts say; they may be mirrored
too. The result is a new array of the images' dtype.
""",
    source=Source("minialexnet.data.augment", "parts"),
    definition=naive,
    hints=(
        "One part first: a slice of rows and a slice of columns of one picture. A mirror image is "
        "the same with its columns the other way round.",
        "Loop over n: images[which[n], top : top + size, left : left + size], and [:, ::-1] of "
        "that if mirrored[n]. Cut first, mirror afterwards. Put it into an array made before.",
        "Without a loop: windows(images, size, 1)[which, tops, lefts] picks whole windows. Then "
        "seen[mirrored] = seen[mirrored][:, :, ::-1].",
    ),
    checks=(
        Check("shapes", 1, _shapes),
        Check("by hand", 1, _by_hand),
        Check("crops against the naive loop", 3, _plain),
        Check("flips against the naive loop", 3, _mirrored),
        Check("whole pictures", 1, _whole),
        Check("largest and smallest parts", 1, _largest),
        Check("dtype kept", 1, _dtype),
        Check("input untouched", 1, _untouched),
        Check("trains the network", 1, _trains),
        Check("on an accelerator", 0, _accelerated),
    ),
)
