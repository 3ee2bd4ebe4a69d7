"""Sums that are exact however they are cut, and the ways in which colours vary."""

import numpy as np
import pytest

from minialexnet.data import statistics
from minialexnet.data.statistics import Colours, Sums, sums

DEVIATIONS = np.array([5.0, 14.0, 36.0])
# Turned about two axes, so that no direction is that of a colour.
TURNED = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]]) @ np.array(
    [[0.8, 0, -0.6], [0, 1, 0], [0.6, 0, 0.8]]
)


def rotated(count=60, height=20, width=30, seed=0):
    """Pictures whose colours vary along the columns of TURNED."""
    drawn = np.random.default_rng(seed).standard_normal((count, height, width, 3))
    return np.rint(drawn * DEVIATIONS @ TURNED.T + [120, 131, 117]).clip(0, 255).astype(np.uint8)


def same(one: Sums, other: Sums) -> bool:
    return (
        one.count == other.count
        and one.total.dtype == other.total.dtype == one.cross.dtype == np.uint64
        and np.array_equal(one.total, other.total)
        and np.array_equal(one.cross, other.cross)
    )


# ---------------------------------------------------------------- sums


def test_sums_are_those_of_integers():
    images = rotated(7, 3, 5)
    found = sums(images)
    whole = images.astype(np.int64)
    assert found.count == 7
    assert found.total.tolist() == whole.sum(axis=0).tolist()
    assert found.cross.tolist() == np.einsum("nhwi,nhwj->ij", whole, whole).tolist()


@pytest.mark.parametrize("pictures", [1, 5, 13])
@pytest.mark.parametrize("pixels", [1, 15, 16, 100])
def test_how_much_is_worked_on_at_a_time_changes_nothing(monkeypatch, pixels, pictures):
    images = rotated(13, 3, 5)
    expected = sums(images)
    monkeypatch.setattr(statistics, "PIXELS", pixels)
    monkeypatch.setattr(statistics, "PICTURES", pictures)
    assert same(sums(images), expected)


def test_neither_the_pieces_nor_their_order_change_anything():
    images = rotated(40, 6, 7)
    expected = sums(images)
    rng = np.random.default_rng(1)
    for _ in range(10):
        shuffled = images[rng.permutation(40)]
        cuts = np.sort(rng.integers(0, 41, 5))
        parts = [sums(part) for part in np.split(shuffled, cuts)]
        found = sum((parts[n] for n in rng.permutation(len(parts))), Sums(expected.total * 0))
        assert same(found, expected)
        assert found.mean().tobytes() == expected.mean().tobytes()
        for name in ("deviations", "directions"):
            mine, theirs = (getattr(one.colours(), name) for one in (found, expected))
            assert mine.tobytes() == theirs.tobytes()


def test_more_pictures_than_there_are_do_not_overflow():
    found = sums(np.full((3, 2, 2, 3), 255, np.uint8))
    for _ in range(30):
        found += found
    assert found.count == 3 * 2**30
    assert (found.total == 255 * 3 * 2**30).all()
    assert (found.cross == 255**2 * 12 * 2**30).all()
    assert (found.mean() == 255).all()


def test_a_picture_larger_than_what_is_worked_on_at_a_time():
    images = np.full((2, 1100, 1000, 3), 255, np.uint8)
    assert images[0, :, :, 0].size > statistics.PIXELS
    assert (sums(images).cross == 255**2 * 2_200_000).all()


# ---------------------------------------------------------------- colours


def covariance(images):
    return np.cov(images.reshape(-1, 3).T.astype(np.float64), bias=True)


def test_colours_are_the_principal_components_of_all_pixels():
    images = rotated()
    colours = sums(images).colours()
    values, vectors = np.linalg.eigh(covariance(images))
    np.testing.assert_allclose(colours.deviations, np.sqrt(values), atol=1e-6)
    np.testing.assert_allclose(abs(colours.directions), abs(vectors), atol=1e-7)
    # Together they are the covariance again.
    again = colours.directions * colours.deviations**2 @ colours.directions.T
    np.testing.assert_allclose(again, covariance(images), atol=1e-4)


def test_what_the_colours_were_made_of_is_found():
    colours = sums(rotated()).colours()
    np.testing.assert_allclose(colours.deviations, DEVIATIONS, rtol=0.02)
    # A component a column.
    assert (abs(np.sum(colours.directions * TURNED, axis=0)) > 0.999).all()


@pytest.mark.parametrize("seed", range(5))
def test_they_ascend_are_orthonormal_and_have_a_sign(seed):
    # Turning the three colours into one another turns the components, too.
    images = rotated(20, seed=seed)[..., np.random.default_rng(seed).permutation(3)]
    colours = sums(255 - images if seed % 2 else images).colours()
    assert colours.deviations.dtype == colours.directions.dtype == np.float64
    assert (np.diff(colours.deviations) > 1).all()
    products = colours.directions.T @ colours.directions
    np.testing.assert_allclose(products, np.eye(3), atol=3e-8)
    largest = colours.directions[abs(colours.directions).argmax(axis=0), range(3)]
    assert (largest > 0.5).all()


def test_grey_pictures_vary_in_one_way():
    grey = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 1)).repeat(3, axis=3)
    colours = sums(grey.astype(np.uint8)).colours()
    np.testing.assert_allclose(colours.directions[:, 2], 3**-0.5, atol=1e-7)
    assert colours.deviations[2] == pytest.approx(3**0.5 * grey.std(), rel=1e-6)
    assert (colours.deviations[:2] < 1e-4).all()


def test_pictures_of_one_colour_do_not_vary():
    colours = sums(np.full((4, 5, 5, 3), (3, 90, 200), np.uint8)).colours()
    assert (abs(colours.deviations) < 1e-4).all()
    np.testing.assert_allclose(colours.directions.T @ colours.directions, np.eye(3), atol=3e-8)


# ---------------------------------------------------------------- shifts


def test_a_shift_goes_along_the_components():
    colours = Colours(DEVIATIONS, TURNED)
    shifts = colours.shifts(np.array([[1, 0, 0], [0, -2, 0], [0, 0, 0.1], [1, 1, 1]]))
    assert shifts.dtype == np.float32
    expected = [5 * TURNED[:, 0], -28 * TURNED[:, 1], 3.6 * TURNED[:, 2], TURNED @ DEVIATIONS]
    np.testing.assert_allclose(shifts, expected, rtol=1e-6)


def test_shifts_are_a_tenth_of_the_deviations_and_not_of_their_squares():
    """The paper's words, taken literally, multiply eigenvalues, which are squares."""
    colours = sums(rotated()).colours()
    drawn = 0.1 * np.random.default_rng(0).standard_normal((100_000, 3))
    along = colours.shifts(drawn) @ colours.directions
    np.testing.assert_allclose(along.std(axis=0), 0.1 * DEVIATIONS, rtol=0.03)
    assert (along.std(axis=0) < 0.1 * DEVIATIONS**2 / 4).all()


def test_for_imagenet_they_stay_within_what_a_pixel_is():
    """The deviations of cuda-convnet2's data files; literally it would be 0.1 * 14,830."""
    colours = Colours(np.array([19.7, 37.1, 121.8]), np.eye(3))
    assert abs(colours.shifts(np.full((1, 3), 0.1))).max() == pytest.approx(12.18)
