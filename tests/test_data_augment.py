"""What training sees of pictures: every place equally often, half mirrored, colours shifted."""

import numpy as np
import pytest
from accelerators import on_each_accelerator

from minialexnet.data.augment import Views, drawn_mirrors, drawn_places, drawn_shifts, parts
from minialexnet.data.statistics import Colours


def rng(seed=0):
    return np.random.default_rng(seed)


def pictures(count, height=7, width=9):
    """Pictures in which each pixel says which picture it is of, its row and its column."""
    n, i, j = np.indices((count, height, width))
    return np.stack([n, i, j], axis=-1).astype(np.uint8)


def views(count, rows=4, columns=6, mirrored=None, seed=0):
    mirrored = np.zeros(count, bool) if mirrored is None else mirrored
    return Views(*drawn_places(rng(seed), count, rows, columns), mirrored)


# ---------------------------------------------------------------- parts


def test_parts_are_whole_parts_of_their_own_pictures():
    which = rng(1).permutation(50)[:30]
    look = views(30)
    seen = parts(pictures(50), which, look, 4)
    assert seen.shape == (30, 4, 4, 3)
    assert seen.dtype == np.uint8
    for part, n, top, left in zip(seen, which, look.tops, look.lefts, strict=True):
        np.testing.assert_array_equal(part, pictures(50)[n, top : top + 4, left : left + 4])


@pytest.mark.parametrize("size", [0, 4])
def test_those_that_are_to_be_mirrored_are(size):
    mirrored = rng(2).random(20) < 0.5
    which = np.arange(20)[::-1]
    straight = parts(pictures(20), which, views(20), size)
    seen = parts(pictures(20), which, views(20, mirrored=mirrored), size)
    np.testing.assert_array_equal(seen[~mirrored], straight[~mirrored])
    np.testing.assert_array_equal(seen[mirrored], straight[mirrored][:, :, ::-1])
    assert 0 < mirrored.sum() < 20


@pytest.mark.parametrize("size", [0, 4])
def test_pictures_stay_as_they_are_and_parts_are_new(size):
    images = pictures(5)
    images.flags.writeable = False
    seen = parts(images, np.arange(5), views(5, mirrored=np.ones(5, bool)), size)
    seen[:] = 0
    np.testing.assert_array_equal(images, pictures(5))


@on_each_accelerator
def test_they_are_the_same_on_a_gpu(on):
    mirrored = rng(2).random(20) < 0.5
    which = rng(3).permutation(20)
    look = views(20, mirrored=mirrored)
    ours = parts(pictures(20), which, look, 4)
    theirs = parts(on.put(pictures(20)), which, look, 4)
    np.testing.assert_array_equal(on.get(theirs), ours)


# ---------------------------------------------------------------- places and mirrors


def test_every_place_is_drawn_equally_often():
    tops, lefts = drawn_places(rng(), 4800, 4, 6)
    places, counts = np.unique([tops, lefts], axis=1, return_counts=True)
    assert places.shape == (2, 4 * 6)
    # 200 of each are expected, with a standard deviation of 14.
    assert counts.min() > 140 and counts.max() < 260


def test_the_original_code_had_33_places_along_each_side():
    """224 of 256 pixels: offsets 0 ... 32, where the paper counts 32."""
    tops, lefts = drawn_places(rng(), 5000, 256 - 224 + 1, 256 - 224 + 1)
    assert sorted(set(tops.tolist())) == sorted(set(lefts.tolist())) == list(range(33))


def test_half_of_the_pictures_are_mirrored():
    assert 900 < drawn_mirrors(rng(), 2000).sum() < 1100


@pytest.mark.parametrize("count", [128, 100, 20, 1])
def test_blocks_of_consecutive_pictures_may_share_theirs(count):
    tops, lefts = drawn_places(rng(), count, 33, 33, share=32)
    mirrored = drawn_mirrors(rng(), count, share=32)
    assert tops.shape == lefts.shape == mirrored.shape == (count,)
    blocks = -(-count // 32)
    for numbers in (tops, lefts, mirrored):
        for block in range(blocks):
            assert len(set(numbers[32 * block : 32 * (block + 1)].tolist())) == 1
    if blocks > 2:
        assert len(set(zip(tops.tolist(), lefts.tolist(), strict=True))) == blocks


def test_the_generator_decides():
    for draw in (
        lambda r: drawn_places(r, 40, 9, 9),
        lambda r: drawn_mirrors(r, 40),
        lambda r: drawn_shifts(r, 40, 0.1, COLOURS),
    ):
        np.testing.assert_array_equal(draw(rng(1)), draw(rng(1)))
        assert (np.array(draw(rng(1))) != np.array(draw(rng(2)))).any()


# ---------------------------------------------------------------- colours

# A turn of the axes of colour, and deviations like ImageNet's.
TURN = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
COLOURS = Colours(np.array([20.0, 37.0, 122.0]), TURN)


def test_shifts_are_the_papers_formula():
    """[p1, p2, p3] [a1 s1, a2 s2, a3 s3]ᵀ, in Python's own numbers."""
    alphas = rng(5).normal(0, 0.1, (50, 3))
    shifts = drawn_shifts(rng(5), 50, 0.1, COLOURS)
    assert shifts.dtype == np.float32
    for shift, a in zip(shifts.tolist(), alphas.tolist(), strict=True):
        for channel in range(3):
            expected = sum(TURN[channel, k] * a[k] * COLOURS.deviations[k] for k in range(3))
            assert shift[channel] == pytest.approx(expected, rel=1e-5)


def test_shifts_spread_as_the_deviations_say_and_not_as_their_squares():
    shifts = drawn_shifts(rng(), 20_000, 0.1, COLOURS)
    along = shifts @ TURN
    np.testing.assert_allclose(along.std(axis=0), [2.0, 3.7, 12.2], rtol=0.03)
    np.testing.assert_allclose(shifts.mean(axis=0), 0, atol=0.3)
