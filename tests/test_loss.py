"""The cross-entropy against the formula, and its gradient against slopes."""

import math

import numpy as np
import pytest

from minialexnet.loss import softmax, softmax_cross_entropy


def by_hand(scores, labels):
    """The mean of -ln(probability of the right class), one number at a time."""
    total = 0.0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        exponentials = [math.exp(score) for score in row]
        total -= math.log(exponentials[label] / sum(exponentials))
    return total / len(labels)


@pytest.fixture
def scores():
    return 3 * np.random.default_rng(0).standard_normal((5, 4))


@pytest.fixture
def labels():
    return np.array([2, 0, 3, 3, 1])


def test_softmax_is_its_formula(scores):
    expected = [
        [math.exp(s) / sum(math.exp(other) for other in row) for s in row]
        for row in scores.tolist()
    ]
    np.testing.assert_allclose(softmax(scores), expected, rtol=1e-14)


def test_the_loss_is_its_formula(scores, labels):
    loss, _ = softmax_cross_entropy(scores, labels)
    assert float(loss) == pytest.approx(by_hand(scores, labels), rel=1e-14)


def test_knowing_nothing_costs_the_logarithm_of_the_number_of_classes():
    loss, dscores = softmax_cross_entropy(np.zeros((2, 1000)), np.array([0, 999]))
    assert float(loss) == pytest.approx(math.log(1000))
    assert dscores[0, 0] == pytest.approx((0.001 - 1) / 2)
    assert dscores[0, 1] == pytest.approx(0.001 / 2)


def test_the_gradient_is_the_slope_of_the_loss(scores, labels):
    _, dscores = softmax_cross_entropy(scores, labels)
    step = 1e-5
    for index in np.ndindex(scores.shape):
        up, down = scores.copy(), scores.copy()
        up[index] += step
        down[index] -= step
        slope = (by_hand(up, labels) - by_hand(down, labels)) / (2 * step)
        assert dscores[index] == pytest.approx(slope, abs=1e-9)


def test_one_image_is_enough():
    loss, dscores = softmax_cross_entropy(np.array([[1.0, 2.0]]), np.array([0]))
    assert float(loss) == pytest.approx(math.log(1 + math.e))
    assert dscores.shape == (1, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_scores_do_not_overflow(dtype):
    scores = np.array([[1e4, 0.0, -1e4], [-1e4, 0.0, 1e4]], dtype)
    loss, dscores = softmax_cross_entropy(scores, np.array([0, 0]))
    assert float(loss) == 1e4
    np.testing.assert_array_equal(dscores, [[0, 0, 0], [-0.5, 0, 0.5]])
    np.testing.assert_array_equal(softmax(scores), [[1, 0, 0], [0, 0, 1]])


def test_a_certain_mistake_still_teaches():
    """ln of a probability that is rounded to 0 would be infinite."""
    loss, _ = softmax_cross_entropy(np.array([[200.0, 0.0]], np.float32), np.array([1]))
    assert float(loss) == 200


def test_results_have_the_dtype_of_the_scores(scores, labels):
    loss, dscores = softmax_cross_entropy(scores.astype(np.float32), labels)
    assert loss.dtype == dscores.dtype == softmax(scores.astype(np.float32)).dtype == np.float32


def test_nothing_is_written_into(scores, labels):
    before = scores.copy(), labels.copy()
    softmax(scores)
    softmax_cross_entropy(scores, labels)
    np.testing.assert_array_equal(scores, before[0])
    np.testing.assert_array_equal(labels, before[1])


@pytest.mark.parametrize(
    ("scores", "labels"), [((5, 4), (4,)), ((5, 4), (5, 1)), ((5,), (5,)), ((5, 4, 1), (5,))]
)
def test_shapes_that_do_not_fit(scores, labels):
    with pytest.raises(ValueError) as error:
        softmax_cross_entropy(np.zeros(scores), np.zeros(labels, int))
    assert str(error.value) == (
        f"expected scores (N, M) and labels (N,), got {scores} and {labels}"
    )
