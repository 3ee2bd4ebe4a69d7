"""The parts of pictures that are tested on are where they should be."""

import numpy as np
import pytest

from minialexnet.data.crops import center, ten_crops


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


def test_pictures_stay_as_they_are():
    images = pictures(5)
    images.flags.writeable = False
    assert all(part.dtype == np.uint8 for part in ten_crops(images, 4))
