"""The built-in pictures: the formulas, the drawing, and that they are a problem worth a network."""

import numpy as np
import pytest

from minialexnet.data.shapes import SHAPES, shapes
from minialexnet.errors import InputError

NAMES = [shape.__name__ for shape in SHAPES]


def lens(one, other, distance):
    """The area that two discs of these radii share."""
    first = (distance**2 + one**2 - other**2) / (2 * distance)
    second = distance - first
    return (
        one**2 * np.arccos(first / one)
        - first * np.sqrt(one**2 - first**2)
        + other**2 * np.arccos(second / other)
        - second * np.sqrt(other**2 - second**2)
    )


AREAS = {
    "disc": np.pi * 0.85**2,
    "ring": np.pi * (0.92**2 - 0.52**2),
    "crescent": np.pi - lens(1, 0.8, 0.5),
    "triangle": 3 * np.sqrt(3) * 0.55**2,
    "square": 1.5**2,
    # The textbook's pentagram in a circle of radius 1, scaled to the circle of this one.
    "star": 1.12257 * (0.36 / np.sin(np.pi / 10)) ** 2,
    "cross": 2 * 2 * 0.54 - 0.54**2,
    # Pushing the columns of a disc up and down leaves its area as it is.
    "heart": np.pi * 0.85**2,
    "arrow": 0.9**2 + 1.1 * 0.44,
    "hourglass": 4 * (0.8 * 0.9**2 / 2 + 0.1 * 0.9),
}


@pytest.fixture(scope="module")
def data():
    return shapes(train=2000, test=500)


@pytest.fixture(scope="module")
def plane():
    """A fine grid of coordinates, and how far apart its points are."""
    step = 0.01
    v, u = np.mgrid[-2:2:step, -2:2:step] + step / 2
    return u[None], v[None], step


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_area_is_that_of_the_shape(shape, plane):
    u, v, step = plane
    area = np.count_nonzero(shape(u, v) < 0) * step**2
    assert area == pytest.approx(AREAS[shape.__name__], rel=0.02)


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_shape_reaches_about_one_unit(shape, plane):
    u, v, _ = plane
    reach = np.hypot(u, v)[shape(u, v) < 0].max()
    assert 0.8 < reach < 1.35


@pytest.mark.parametrize("shape", SHAPES, ids=NAMES)
def test_distance_grows_like_one(shape, plane):
    # Otherwise edges would be blurred or jagged. Only the heart is sheared, so not a distance.
    u, v, step = plane
    distance = shape(u, v)[0]
    slope = np.hypot(*np.gradient(distance, step))[np.abs(distance) < 0.02]
    assert np.median(slope) == pytest.approx(1, abs=0.35 if shape.__name__ == "heart" else 0.01)


def test_contents(data):
    for split, count in ((data.train, 2000), (data.test, 500)):
        assert split.images.shape == (count, 32, 32, 3) and split.images.dtype == np.uint8
        assert split.labels.shape == (count,) and split.labels.dtype == np.int64
        assert split.images.flags["C_CONTIGUOUS"]
    assert len(data.classes) == 10 and data.classes[5] == "star"
    np.testing.assert_allclose(data.mean, data.train.images.mean(axis=0), rtol=1e-5)
    assert data.mean.dtype == np.float32
    assert "seed 0" in data.source


def test_same_seed_same_bytes_whatever_else_was_asked_for(data):
    fewer = shapes(train=130, test=20)
    for some, all_ in ((fewer.train, data.train), (fewer.test, data.test)):
        count = len(some.labels)
        assert some.images.tobytes() == all_.images[:count].tobytes()
        assert some.labels.tobytes() == all_.labels[:count].tobytes()


def test_another_seed_draws_other_pictures(data):
    other = shapes(train=100, test=100, seed=1)
    assert (other.train.images != data.train.images[:100]).mean() > 0.9
    assert (other.test.images != data.train.images[:100]).mean() > 0.9


def test_no_two_pictures_are_alike(data):
    pictures = [image.tobytes() for image in np.concatenate([data.train.images, data.test.images])]
    assert len(set(pictures)) == len(pictures)


def test_classes_are_balanced_and_shuffled(data):
    assert (np.bincount(data.train.labels) == 200).all()
    assert (np.bincount(data.train.labels[:100]) == 10).all()
    following = np.mean(np.diff(data.train.labels) % 10 == 1)
    assert following < 0.2


def test_pictures_have_content_and_are_not_burnt_out(data):
    levels = data.train.images.astype(np.float32)
    assert levels.std(axis=(1, 2)).max(axis=1).min() > 10
    assert np.mean(levels == 0) < 0.05 and np.mean(levels == 255) < 0.1


def test_labels_name_what_is_drawn(data):
    # Shapes are brighter than what is behind them, so large ones make bright pictures.
    images, labels = data.train.images, data.train.labels
    bright = [images[labels == label].mean() for label in range(10)]
    areas = [AREAS[name] for name in data.classes]
    assert np.corrcoef(bright, areas)[0, 1] > 0.9


def test_linear_classifier_fails(data):
    """Ridge regression onto one-hot labels, the best of several strengths."""
    x, y = (
        (split.images.reshape(len(split.labels), -1) - data.mean.ravel()) / 64
        for split in (data.train, data.test)
    )
    values, vectors = np.linalg.eigh(x @ x.T)
    targets = vectors.T @ (np.eye(10, dtype=np.float32)[data.train.labels] - 0.1)
    errors = []
    for strength in (1e2, 1e3, 1e4, 1e5, 1e6):
        scores = y @ (x.T @ (vectors @ (targets / (values + strength)[:, None])))
        errors.append(np.mean(scores.argmax(axis=1) != data.test.labels))
    assert min(errors) > 0.4


@pytest.mark.parametrize(
    "bad",
    [{"train": 0}, {"test": 0}, {"train": 2.5}, {"test": "many"}, {"seed": -1}, {"seed": None}],
)
def test_bad_numbers_are_named(bad):
    ((name, value),) = bad.items()
    with pytest.raises(InputError, match=rf"expected {name} to be .* or more, got {value!r}$"):
        shapes(**{"train": 10, "test": 10} | bad)
