"""Every image counts once, and what counts as wrong is what a plain loop says."""

import math

import numpy as np
import pytest
import tiny

from minialexnet.backend import device
from minialexnet.data import Input, Split, seen
from minialexnet.evaluate import (
    Member,
    count_wrong,
    ensemble_error_rates,
    error_rates,
    probabilities,
    scores,
)

CPU = device("cpu")


def wrong_by_hand(scores, labels, top):
    """A class is above the right one unless it is certainly below; so NaN is above."""
    wrong = 0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        above = sum(not row[m] < row[label] for m in range(len(row)) if m != label)
        wrong += above >= top or math.isnan(row[label])
    return wrong


# Scores from a handful of numbers, so that there are ties, and NaN among them.
@pytest.mark.parametrize("top", [1, 2, 5])
@pytest.mark.parametrize("classes", [2, 5, 6, 12])
def test_wrong_is_what_the_plain_loop_counts(top, classes):
    rng = np.random.default_rng([top, classes])
    values = np.array([-1, 0, 1, 2, 3, 4, 5, np.nan], np.float32)
    made = values[rng.choice(8, (400, classes), p=[*7 * [0.96 / 7], 0.04])]
    labels = rng.integers(classes, size=400)
    counted = count_wrong(made, labels, top)
    assert counted.shape == ()
    assert counted == wrong_by_hand(made, labels, top)
    assert 0 < counted < 400


def wrong(row, label, top=1):
    return int(count_wrong(np.array([row], np.float32), np.array([label]), top))


def test_the_highest_score_is_right():
    assert [wrong([1, 3, 2], m) for m in range(3)] == [1, 0, 1]
    assert [wrong([1, 3, 2], m, top=2) for m in range(3)] == [1, 0, 0]


def test_ties_are_wrong():
    assert wrong([2, 2, 1], 0) == 1
    assert wrong([2, 2, 1], 0, top=2) == 0
    assert [wrong([0] * 10, m) for m in range(10)] == [1] * 10
    assert wrong([0] * 10, 3, top=5) == 1


def test_nan_is_wrong():
    nan = float("nan")
    assert wrong([nan, 1, 2], 0) == 1
    assert wrong([nan, 1, 2], 0, top=5) == 1
    assert wrong([nan, nan, nan], 1, top=3) == 1
    assert wrong([nan, 1, 2], 2) == 1
    assert wrong([nan, 1, 2], 2, top=2) == 0
    assert wrong([float("inf"), 1, 2], 0) == 0


def test_with_no_more_classes_than_top_nothing_is_wrong():
    assert [wrong([1, 2, 3], m, top=5) for m in range(3)] == [0, 0, 0]
    assert [wrong([1, 1, 1], m, top=3) for m in range(3)] == [0, 0, 0]


# ---------------------------------------------------------------- a network on a split


def test_the_network_sees_scaled_pixels_less_the_mean():
    images = np.array([[[[0, 128, 255]]]], np.uint8)
    seen = Input(np.array([[[10, 20.5, 30]]], np.float32), 0.5, CPU)(images)
    assert seen.dtype == np.float32
    assert seen.tolist() == [[[[-5, 53.75, 112.5]]]]
    assert images.tolist() == [[[[0, 128, 255]]]]


class Reads:
    """A network that has learned to read the class off the first pixel, and remembers batches."""

    def __init__(self):
        self.batches = []

    def __call__(self, x):
        self.batches.append(len(x))
        return -abs(x[:, 0, 0, :1] - np.arange(12, dtype=np.float32))


@pytest.fixture
def many():
    """1013 pictures, the first pixel of which is the label of all but every seventh."""
    labels = np.random.default_rng(0).integers(12, size=1013)
    images = np.zeros((1013, 2, 2, 3), np.uint8)
    images[:, 0, 0, 0] = np.where(np.arange(1013) % 7, labels, (labels + 3) % 12)
    return Split(images, labels)


def test_error_rates_count_every_image_once(many):
    net = Reads()
    zero = np.zeros((2, 2, 3), np.float32)
    one, five = error_rates(net, many, Input(zero, 1.0, CPU), tops=(1, 5))
    assert one == 145 / 1013
    together = net(Input(zero, 1.0, CPU)(many.images))
    assert five == wrong_by_hand(together, many.labels, 5) / 1013
    assert 0 < five < one
    assert error_rates(net, many, Input(zero, 1.0, CPU)) == (one,)


@pytest.mark.parametrize("batch", [1, 250, 1000, 1013, 5000])
def test_scores_do_not_depend_on_the_batches(many, batch):
    net = Reads()
    zero = np.zeros((2, 2, 3), np.float32)
    parts = list(scores(net, many.images, Input(zero, 1.0, CPU), batch=batch))
    assert sum(net.batches) == 1013
    assert max(net.batches) == min(batch, 1013)
    assert np.array_equal(np.concatenate(parts), Reads()(Input(zero, 1.0, CPU)(many.images)))


def test_error_rates_are_the_same_however_the_split_is_cut(monkeypatch):
    data = tiny.dataset(train=8, test=61, size=8)
    net = tiny.network()
    # So that the answers vary, and most are not right by chance.
    net.params = {name: 100 * array for name, array in net.params.items()}
    together = net(Input(data.mean, 1.0, CPU)(data.test.images))
    expected = wrong_by_hand(together, data.test.labels, 1) / 61
    assert 0 < expected < 1
    for batch in (1, 7, 61, 250):
        monkeypatch.setattr(scores, "__defaults__", ("center", batch))
        assert error_rates(net, data.test, Input(data.mean, 1.0, CPU)) == (expected,)


def test_probabilities_are_the_softmax_of_the_scores(many):
    zero = np.zeros((2, 2, 3), np.float32)
    found = probabilities(Reads(), many.images, Input(zero, 1.0, CPU))
    assert found.shape == (1013, 12)
    assert found.dtype == np.float32
    for row, pixel in zip(found[:20].tolist(), many.images[:20, 0, 0, 0].tolist(), strict=True):
        exponentials = [math.exp(-abs(pixel - m)) for m in range(12)]
        assert row == pytest.approx([e / sum(exponentials) for e in exponentials], rel=1e-5)


# ---------------------------------------------------------------- ten crops


class Sum:
    """Two scores: the sum of the pixels in the first quarter, and in all the rest."""

    def __call__(self, x):
        first = x[:, :2, :2].sum((1, 2, 3))
        return np.stack([first, x.sum((1, 2, 3)) - first], axis=1)


def test_ten_crops_average_the_probabilities_of_corners_centre_and_their_mirror_images():
    images = np.random.default_rng(0).integers(0, 9, (7, 6, 5, 3), np.uint8)
    see = Input(np.full((4, 4, 3), 4, np.float32), np.float32([0.02]), CPU)
    found = probabilities(Sum(), images, see, "ten")
    for image, row in zip(images.astype(float), found, strict=True):
        views = []
        for top, left in [(0, 0), (0, 1), (2, 0), (2, 1), (1, 0)]:
            part = image[top : top + 4, left : left + 4]
            for view in (part, part[:, ::-1]):
                first = 0.02 * (view[:2, :2] - 4).sum()
                scores = [first, 0.02 * (view - 4).sum() - first]
                total = sum(math.exp(score) for score in scores)
                views.append([math.exp(score) / total for score in scores])
        np.testing.assert_allclose(row, np.mean(views, axis=0), rtol=1e-5)
    assert found.std() > 0.01


def test_the_error_rate_of_ten_crops_counts_every_image_once():
    data = tiny.dataset(train=8, test=31, size=11)
    net = tiny.network()
    net.params = {name: 3 * array for name, array in net.params.items()}
    see = seen(data.mean, 0.1, 8, CPU)
    believed = probabilities(net, data.test.images, see, "ten")
    expected = (believed.argmax(axis=1) != data.test.labels).mean()
    assert error_rates(net, data.test, see, crops="ten") == (expected,)
    assert error_rates(net, data.test, see) != error_rates(net, data.test, see, crops="ten")


def test_a_probability_of_nothing_in_ten_crops_is_no_warning():
    see = Input(np.zeros((4, 4, 3), np.float32), np.float32([1]), CPU)
    images = np.zeros((1, 6, 6, 3), np.uint8)
    images[:, :, :3] = 255
    ((scores_of_one,),) = scores(lambda x: 1e4 * np.float32([[1, 0]] * len(x)), images, see, "ten")
    assert scores_of_one[0] == 0
    assert scores_of_one[1] < -700


# ---------------------------------------------------------------- several networks together


class Says:
    """A network that answers with given scores: those of the picture whose number it sees."""

    def __init__(self, scores):
        self.scores = scores

    def __call__(self, x):
        return self.scores[x[:, 0, 0, 0].astype(int)]


def by_hand(members, labels, top):
    """Wrong answers of the mean of softmaxes, with a loop over images in Python's own numbers."""
    wrong = 0
    for n, label in enumerate(labels.tolist()):
        mean = [0.0] * members[0].shape[1]
        for said in members:
            exponentials = [math.exp(score) for score in said[n].tolist()]
            for m, e in enumerate(exponentials):
                mean[m] += e / sum(exponentials) / len(members)
        above = sum(mean[m] >= mean[label] for m in range(len(mean)) if m != label)
        wrong += above >= top
    return wrong


@pytest.mark.parametrize("classes", [3, 5, 12])
def test_an_ensemble_averages_probabilities_as_the_plain_loop_does(classes):
    rng = np.random.default_rng(classes)
    count = 251  # more than one batch
    said = [3 * rng.standard_normal((count, classes)).astype(np.float32) for _ in range(3)]
    labels = rng.integers(classes, size=count)
    # One network is sure of wrong things, which averaging scores would let prevail.
    said[2] *= 4
    images = np.zeros((count, 2, 2, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(count)
    see = Input(np.zeros((2, 2, 3), np.float32), np.float32([1]), CPU)
    members = [Member(Says(scores), see) for scores in said]
    alone, together = ensemble_error_rates(members, Split(images, labels), tops=(1, 5))
    for one, rates in zip(said, alone, strict=True):
        assert rates == tuple(wrong_by_hand(one, labels, top) / count for top in (1, 5))
    assert together == tuple(by_hand(said, labels, top) / count for top in (1, 5))
    assert together not in alone
    # With five classes or fewer, nothing is wrong among the first five.
    assert (together[1] == 0) == (classes <= 5)


def test_ties_of_an_ensemble_are_wrong():
    said = [np.float32([[0, 1]]), np.float32([[1, 0]])]
    images, see = np.zeros((1, 2, 2, 3), np.uint8), Input(np.zeros((2, 2, 3), np.float32), 1, CPU)
    split = Split(images, np.array([0]))
    alone, together = ensemble_error_rates([Member(Says(one), see) for one in said], split)
    assert (alone, together) == ([(1.0,), (0.0,)], (1.0,))


def test_members_look_at_pictures_each_in_its_own_way():
    data = tiny.dataset(train=8, test=31, size=11)
    nets = [tiny.network(seed=0), tiny.network(seed=1)]
    for net in nets:
        net.params = {name: 3 * array for name, array in net.params.items()}
    sees = [seen(data.mean, 0.1, 8, CPU), seen(data.mean, 0.05, 8, CPU)]
    ways = ("ten", "center")
    members = [Member(*one) for one in zip(nets, sees, ways, strict=True)]
    alone, together = ensemble_error_rates(members, data.test)
    believed = [
        probabilities(one.net, data.test.images, one.see, one.crops).astype(np.float64)
        for one in members
    ]
    labels = data.test.labels
    assert alone == [((belief.argmax(axis=1) != labels).mean(),) for belief in believed]
    assert together == ((sum(believed).argmax(axis=1) != labels).mean(),)


# ---------------------------------------------------------------- parts of pictures


def test_the_network_sees_the_middle_of_larger_pictures():
    images = np.arange(2 * 7 * 6 * 3, dtype=np.uint8).reshape(2, 7, 6, 3)
    mean = np.arange(7 * 6 * 3, dtype=np.float32).reshape(7, 6, 3)
    see = seen(mean, (1, 2, 3), 3, CPU)
    expected = (images - mean)[:, 2:5, 1:4] * [1, 2, 3]
    np.testing.assert_array_equal(see(images), expected)
    assert see(images).dtype == np.float32


def test_without_a_crop_the_network_sees_all():
    images = np.arange(2 * 7 * 6 * 3, dtype=np.uint8).reshape(2, 7, 6, 3)
    see = seen(np.zeros((7, 6, 3), np.float32), 0.5, 0, CPU)
    np.testing.assert_array_equal(see(images), images / 2)
