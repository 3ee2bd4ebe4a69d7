"""Parts of pictures: every place is drawn, equally often, with the pixels of the picture."""

import numpy as np
import pytest

from minialexnet.data.crops import center, random_crops, random_flips, ten_crops


def rng(seed=0):
    return np.random.default_rng(seed)


def pictures(count, height=7, width=9):
    """Pictures in which each pixel says which picture it is of, its row and its column."""
    n, i, j = np.indices((count, height, width))
    return np.stack([n, i, j], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("size", [1, 4, 7])
def test_the_centre_leaves_as_much_on_either_side(size):
    part = center(pictures(2), size)
    assert part.shape == (2, size, size, 3)
    rows, columns = part[0, :, 0, 1].tolist(), part[0, 0, :, 2].tolist()
    assert 0 <= (6 - rows[-1]) - rows[0] <= 1
    assert 0 <= (8 - columns[-1]) - columns[0] <= 1
    np.testing.assert_array_equal(center(pictures(2)[1], size), part[1])


def test_ten_crops_are_the_corners_the_centre_and_their_mirror_images():
    views = ten_crops(pictures(2), 4)
    corners = [tuple(view[1, 0, 0].tolist()) for view in views[:5]]
    assert corners == [(1, 0, 0), (1, 0, 5), (1, 3, 0), (1, 3, 5), (1, 1, 2)]
    assert all(view.shape == (2, 4, 4, 3) for view in views)
    for view, mirrored in zip(views[:5], views[5:], strict=True):
        np.testing.assert_array_equal(mirrored, view[:, :, ::-1])
        assert (np.diff(view[0, 0, :, 2].astype(int)) == 1).all()


def test_random_crops_are_whole_parts_of_their_own_pictures():
    parts = random_crops(pictures(50), 4, rng())
    assert parts.shape == (50, 4, 4, 3)
    assert parts.dtype == np.uint8
    for n, part in enumerate(parts.astype(int)):
        top, left = part[0, 0, 1:]
        np.testing.assert_array_equal(part, pictures(50)[n, top : top + 4, left : left + 4])


def test_every_place_is_drawn_equally_often():
    parts = random_crops(np.broadcast_to(pictures(1), (4800, 7, 9, 3)), 4, rng())
    places, counts = np.unique(parts[:, 0, 0, 1:], axis=0, return_counts=True)
    assert len(places) == 4 * 6
    # 200 of each are expected, with a standard deviation of 14.
    assert counts.min() > 140 and counts.max() < 260


def test_half_of_the_pictures_are_mirrored():
    before = pictures(2000)
    after = random_flips(before, rng())
    mirrored = after[:, 0, 0, 2] == 8
    np.testing.assert_array_equal(after[mirrored], before[mirrored][:, :, ::-1])
    np.testing.assert_array_equal(after[~mirrored], before[~mirrored])
    assert 900 < mirrored.sum() < 1100


def test_the_generator_decides():
    images = rng(5).integers(0, 256, (40, 8, 8, 3), np.uint8)
    for drawn in (lambda r: random_crops(images, 5, r), lambda r: random_flips(images, r)):
        np.testing.assert_array_equal(drawn(rng(1)), drawn(rng(1)))
        assert (drawn(rng(1)) != drawn(rng(2))).any()


def test_pictures_stay_as_they_are():
    images = pictures(5)
    images.flags.writeable = False
    for part in (
        random_crops(images, 4, rng()),
        random_flips(images, rng()),
        *ten_crops(images, 4),
    ):
        assert part.dtype == np.uint8
