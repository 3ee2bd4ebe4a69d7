"""Initial weights by name: their spread, their biases, and what comes through."""

import numpy as np
import pytest

from minialexnet import networks
from minialexnet.initial import INITIALISATIONS, initialised, inputs
from minialexnet.layers import Conv2D, Linear, LocallyConnected2D, Network


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def net():
    return networks.mini(rng())


@pytest.fixture(scope="module")
def x():
    return rng(1).standard_normal((16, 32, 32, 3), dtype=np.float32)


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_names_shapes_and_dtypes_are_the_networks(net, x, name):
    before = {key: array.copy() for key, array in net.params.items()}
    params = initialised(name, net, rng(2), x)
    assert list(params) == list(net.params)
    for key, array in params.items():
        assert (array.shape, array.dtype) == (before[key].shape, np.float32), key
        np.testing.assert_array_equal(net.params[key], before[key])


@pytest.mark.parametrize("name", INITIALISATIONS[1:])
def test_the_generator_decides(net, x, name):
    first, again, other = (initialised(name, net, rng(seed), x) for seed in (2, 2, 3))
    for key in first:
        np.testing.assert_array_equal(first[key], again[key])
        assert (first[key] != other[key]).any() == key.endswith("weight")


def test_the_table_is_left_as_it_is(net, x):
    assert initialised("table", net, rng(), x).keys() == net.params.keys()
    for key, array in initialised("table", net, rng(), x).items():
        np.testing.assert_array_equal(array, net.params[key])


ONES = {"conv2", "conv4", "conv5", "fc6", "fc7"}
LARGER = {"conv3", "conv4", "conv5"}


@pytest.mark.parametrize("name", ["paper", "as_run", "he"])
def test_spread_and_biases(net, x, name):
    for key, array in initialised(name, net, rng(2), x).items():
        layer = key.partition(".")[0]
        if key.endswith("bias"):
            assert set(array.tolist()) == {float(layer in ONES and name != "he")}, key
            continue
        std = 0.03 if name == "as_run" and layer in LARGER else 0.01
        if name == "he":
            std = (2 / np.prod(array.shape[:-1])) ** 0.5
        assert array.std() == pytest.approx(std, rel=0.06), key


def test_the_last_layer_is_no_hidden_one():
    net = Network({"fc1": Linear(3, 4, rng=rng()), "fc2": Linear(4, 2, rng=rng())})
    params = initialised("paper", net, rng(), None)
    assert params["fc1.bias"].tolist() == [1] * 4
    assert params["fc2.bias"].tolist() == [0, 0]


def test_inputs_of_a_filter():
    assert inputs(Conv2D(5, 7, 3, rng=rng()).params["weight"]) == 45
    assert inputs(Linear(11, 2, rng=rng()).params["weight"]) == 11
    assert inputs(LocallyConnected2D(4, 4, 5, 7, 3, rng=rng()).params["weight"]) == 45


@pytest.mark.parametrize("make", [networks.mini, networks.cifar_18pct, networks.cifar_13pct])
def test_lsuv_gives_every_layer_outputs_of_variance_1(make):
    size = networks.SIZES[make.__name__]
    x = 40 * rng(1).standard_normal((32, size, size, 3), dtype=np.float32)
    net = make(rng())
    net.params = initialised("lsuv", net, rng(2), x)
    weighted = 0
    for name, layer in net.layers.items():
        x = layer(x)
        if layer.params:
            weighted += 1
            assert x.var() == pytest.approx(1, abs=0.03), name
    assert weighted >= 4


def test_lsuv_scales_towers_one_by_one(x):
    net = networks.mini(rng())
    net.params = initialised("lsuv", net, rng(2), x)
    for name, layer in net.layers.items():
        x = layer(x)
        if name == "conv4":
            assert [part.var() for part in np.split(x, 2, axis=-1)] == pytest.approx(
                [1, 1], abs=0.03
            )
            return
    pytest.fail("there is no conv4")


@pytest.mark.parametrize("shape", [(40, 9), (9, 40), (3, 3, 4, 20), (2, 2, 3, 3, 4, 20)])
def test_lsuv_begins_at_right_angles(shape):
    from minialexnet.initial import _orthonormal

    weight = _orthonormal(rng(), shape)
    assert (weight.shape, weight.dtype) == (shape, np.float32)
    flat = weight.reshape(*shape[:-4], -1, shape[-1]).reshape(-1, inputs(weight), shape[-1])
    for one in flat:
        products = one.T @ one if len(one) >= one.shape[1] else one @ one.T
        np.testing.assert_allclose(products, np.eye(len(products)), atol=1e-5)


def test_dead_layers_do_not_stop_lsuv():
    net = networks.mini(rng())
    params = initialised("lsuv", net, rng(), np.zeros((2, 32, 32, 3), np.float32))
    assert all(np.isfinite(array).all() for array in params.values())
