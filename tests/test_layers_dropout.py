"""Dropout: the share that is kept, the scale in evaluation, and where chance comes from."""

import numpy as np
import pytest

from minialexnet import check, strict
from minialexnet.layers import Dropout, Linear, Network


def ones(*shape):
    return np.ones(shape, np.float32)


@pytest.mark.parametrize("rate", [0, 0.25, 0.5, 0.9])
def test_evaluation_scales_by_the_share_that_training_keeps(rate):
    x = np.random.default_rng(0).standard_normal((3, 4))
    layer = Dropout(rate)
    y, cache = layer.forward(x)
    np.testing.assert_allclose(y, (1 - rate) * x, rtol=1e-15)
    np.testing.assert_allclose(layer.backward(x, cache)[0], (1 - rate) * x, rtol=1e-15)


@pytest.mark.parametrize("rate", [0, 0.25, 0.5, 0.9])
def test_training_keeps_that_share_as_it_is(rate):
    y, _ = Dropout(rate).forward(ones(200, 500), np.random.default_rng(0))
    assert set(np.unique(y)) <= {0, 1}
    # Of 100,000 draws the standard deviation of the share is at most 0.0016.
    assert y.mean() == pytest.approx(1 - rate, abs=0.005)


def test_the_smallest_number_that_can_be_drawn():
    """It is 0, and at rate 0 it must not drop anything."""

    class Zeros:
        def random(self, shape, dtype):
            return np.zeros(shape, dtype)

    np.testing.assert_array_equal(Dropout(0).forward(ones(2, 3), Zeros())[0], ones(2, 3))
    np.testing.assert_array_equal(Dropout(0.1).forward(ones(2, 3), Zeros())[0], 0 * ones(2, 3))


def test_features_and_images_are_dropped_one_by_one():
    y, _ = Dropout().forward(ones(200, 500), np.random.default_rng(0))
    assert y.mean(axis=0).std() < 0.05
    assert y.mean(axis=1).std() < 0.05
    assert abs(np.corrcoef(y[:, 0], y[:, 1])[0, 1]) < 0.2


def test_the_mean_over_training_is_evaluation():
    x = np.random.default_rng(1).standard_normal((2, 5))
    rng = np.random.default_rng(0)
    layer = Dropout(0.3)
    mean = sum(layer.forward(x, rng)[0] for _ in range(5000)) / 5000
    np.testing.assert_allclose(mean, layer(x), atol=0.05)


def test_backward_lets_through_what_forward_did():
    layer = Dropout()
    x = ones(4, 50)
    y, cache = layer.forward(x, np.random.default_rng(0))
    dy = np.random.default_rng(1).standard_normal(y.shape).astype(np.float32)
    np.testing.assert_array_equal(layer.backward(dy, cache)[0], dy * (y != 0))


def test_the_seed_decides():
    layer, x = Dropout(), ones(4, 50)
    first, again, other = (layer.forward(x, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_one_generator_gives_another_mask_each_time():
    layer, x, rng = Dropout(), ones(4, 50), np.random.default_rng(0)
    assert (layer.forward(x, rng)[0] != layer.forward(x, rng)[0]).any()


def test_the_mask_does_not_depend_on_the_dtype():
    """What a check in float64 shows holds for float32."""
    masks = [
        Dropout().forward(ones(4, 50).astype(dtype), np.random.default_rng(0))[0] != 0
        for dtype in (np.float32, np.float64)
    ]
    np.testing.assert_array_equal(*masks)


@pytest.mark.parametrize("rate", [0, 0.25, 0.5, 0.9])
def test_inverted_evaluation_changes_nothing(rate):
    x = np.random.default_rng(0).standard_normal((3, 4))
    layer = Dropout(rate, inverted=True)
    y, cache = layer.forward(x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(layer.backward(x, cache)[0], x)


@pytest.mark.parametrize("rate", [0, 0.25, 0.5, 0.9])
def test_inverted_training_drops_the_same_and_enlarges_the_rest(rate):
    x = np.random.default_rng(1).standard_normal((200, 50)).astype(np.float32)
    plain, _ = Dropout(rate).forward(x, np.random.default_rng(0))
    y, _ = Dropout(rate, inverted=True).forward(x, np.random.default_rng(0))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, plain / (1 - rate), rtol=1e-6)


def test_the_mean_over_inverted_training_is_evaluation():
    x = np.random.default_rng(1).standard_normal((2, 5))
    rng = np.random.default_rng(0)
    layer = Dropout(0.3, inverted=True)
    mean = sum(layer.forward(x, rng)[0] for _ in range(5000)) / 5000
    np.testing.assert_allclose(mean, x, atol=0.07)


def test_inverted_backward_scales_as_forward_did():
    layer = Dropout(0.75, inverted=True)
    y, cache = layer.forward(ones(4, 50), np.random.default_rng(0))
    dy = np.random.default_rng(1).standard_normal(y.shape).astype(np.float32)
    dx, _ = layer.backward(dy, cache)
    assert dx.dtype == np.float32
    np.testing.assert_array_equal(dx, 4 * dy * (y != 0))


def test_the_scaling_of_the_paper_is_what_you_get_unless_you_ask():
    assert not Dropout().inverted
    assert repr(Dropout(0.3, inverted=True)) == "Dropout(rate=0.3, inverted=True)"


@pytest.mark.parametrize("seed", [None, 3], ids=["evaluation", "training"])
def test_smaller_weights_behind_it_make_the_one_kind_the_other(seed):
    x = np.random.default_rng(0).standard_normal((6, 8))
    outputs = {}
    for inverted in (False, True):
        fc = Linear(8, 3, std=1, rng=np.random.default_rng(1))
        if inverted:
            fc.params = fc.params | {"weight": 0.4 * fc.params["weight"].astype(float)}
        net = Network({"drop": Dropout(0.6, inverted=inverted), "fc": fc})
        outputs[inverted] = net.forward(x, None if seed is None else np.random.default_rng(seed))[0]
    np.testing.assert_allclose(outputs[True], outputs[False], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("seed", [None, 4], ids=["evaluation", "training"])
def test_inverted_runs_on_an_accelerator_with_the_same_bits(seed):
    on, x, found = strict.device(), ones(3, 9), []
    for put, get in ((on.put, on.get), (np.asarray, np.asarray)):
        layer = Dropout(0.3, inverted=True)
        y, cache = layer.forward(put(x), None if seed is None else np.random.default_rng(seed))
        found.append((get(y), get(layer.backward(put(x), cache)[0])))
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("rate", [0, 0.3, 0.5])
def test_gradient(rate, inverted, seed):
    layer = Dropout(rate, inverted=inverted)
    check.layer(layer, np.random.default_rng(0).standard_normal((3, 7)), seed)


def test_whole_number_for_a_rate():
    check.layer(Dropout(0), np.random.default_rng(0).standard_normal((3, 7)), seed=1)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, 50])
def test_rates_that_are_none(rate, inverted):
    with pytest.raises(ValueError) as error:
        Dropout(rate, inverted)
    assert str(error.value) == f"Dropout expects a rate from 0 to below 1, got {rate}"
