"""Layers made of layers: their order, their names, their shares."""

import numpy as np
import pytest

from minialexnet import check
from minialexnet.layers import (
    Conv2D,
    Dropout,
    Flatten,
    Layer,
    Linear,
    LocalResponseNorm,
    MaxPool,
    Network,
    Parallel,
    ReLU,
    Stages,
    Tanh,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def pictures(*shape):
    return rng(3).standard_normal(shape)


def linear(features, units, seed=0):
    return Linear(features, units, std=0.5, bias=0.1, rng=rng(seed))


def convolution(channels, filters, kernel, seed=0, **settings):
    return Conv2D(channels, filters, kernel, std=0.5, bias=0.1, rng=rng(seed), **settings)


def small_alexnet(input_grad=True):
    """Every ingredient of AlexNet in its order, on pictures of 11 x 13 pixels."""
    return Network(
        {
            "conv1": convolution(3, 4, 4, stride=2, input_grad=input_grad),
            "relu1": ReLU(),
            "norm1": LocalResponseNorm(size=3, alpha=0.5),
            "pool1": MaxPool(2, stride=1),
            "conv2": Parallel(
                {
                    "a": convolution(2, 3, 3, seed=1, pad=1),
                    "b": convolution(2, 3, 3, seed=2, pad=1),
                }
            ),
            "relu2": ReLU(),
            "pool2": MaxPool(2, stride=2, ceil=True),
            "flatten": Flatten(),
            "fc6": linear(2 * 2 * 6, 5, seed=3),
            "relu6": ReLU(),
            "drop6": Dropout(),
            "fc8": linear(5, 3, seed=4),
        }
    )


PICTURES = (3, 11, 13, 3)

# ------------------------------------------------------------------------------------- network


def test_a_network_is_its_layers_one_after_the_other():
    first, second = linear(3, 4), linear(4, 2, seed=1)
    net = Network({"fc1": first, "tanh": Tanh(), "fc2": second})
    x = pictures(5, 3)
    np.testing.assert_array_equal(net.forward(x)[0], second(np.tanh(first(x))))
    np.testing.assert_array_equal(net(x), net.forward(x)[0])


@pytest.mark.parametrize("input_grad", [True, False])
@pytest.mark.parametrize("seed", [None, 5], ids=["evaluation", "training"])
def test_gradient_of_a_small_alexnet(seed, input_grad):
    check.layer(small_alexnet(input_grad), pictures(*PICTURES), seed)


def test_chance_is_drawn_from_one_generator_in_order():
    net = Network({"drop1": Dropout(), "drop2": Dropout()})
    x = np.ones((4, 30), np.float32)
    source = rng(1)
    expected = Dropout().forward(Dropout().forward(x, source)[0], source)[0]
    np.testing.assert_array_equal(net.forward(x, rng(1))[0], expected)


def test_names_are_joined_with_dots_in_order():
    assert list(small_alexnet().params) == [
        "conv1.weight",
        "conv1.bias",
        "conv2.a.weight",
        "conv2.a.bias",
        "conv2.b.weight",
        "conv2.b.bias",
        "fc6.weight",
        "fc6.bias",
        "fc8.weight",
        "fc8.bias",
    ]


def test_names_of_stages_are_no_part_of_the_parameters_names():
    first, rest = Network({"conv1": convolution(1, 1, 1)}), Network({"fc6": linear(2, 2)})
    net = Stages({"first": first, "rest": rest})
    assert list(net.params) == ["conv1.weight", "conv1.bias", "fc6.weight", "fc6.bias"]
    params = {name: array + 1 for name, array in net.params.items()}
    net.params = params
    assert all(net.params[name] is array for name, array in params.items())


def test_parameters_are_replaced_by_assignment():
    net = small_alexnet()
    params = {name: np.zeros_like(array) for name, array in net.params.items()}
    net.params = params
    assert net.layers["conv2"].layers["b"].params["weight"] is params["conv2.b.weight"]
    assert all(net.params[name] is array for name, array in params.items())


def test_parameters_that_are_not_its_own():
    net = Network({"fc1": linear(2, 2), "fc2": linear(2, 2)})
    before = net.params
    odd = {**before, "fc3.bias": np.zeros(2)}
    del odd["fc1.bias"]
    with pytest.raises(ValueError) as error:
        net.params = odd
    assert str(error.value) == (
        "expected the parameters fc1.weight, fc1.bias, fc2.weight, fc2.bias; "
        "the odd ones are fc1.bias, fc3.bias"
    )
    assert all(net.params[name] is array for name, array in before.items())


def test_backward_empties_the_cache():
    net = small_alexnet()
    y, cache = net.forward(pictures(*PICTURES), rng(0))
    towers = cache[4]
    assert len(cache) == len(net.layers)
    net.backward(y, cache)
    assert cache == towers == []


def test_a_students_layer_in_one_place():
    class Leaky(Layer):
        def forward(self, x, rng=None):
            factor = np.where(x > 0, 1, 0.1).astype(x.dtype)
            return x * factor, factor

        def backward(self, dy, cache):
            return dy * cache, {}

    net = small_alexnet()
    before = net(pictures(*PICTURES))
    net.layers["relu1"] = Leaky()
    assert list(net.layers)[1] == "relu1"
    assert abs(net(pictures(*PICTURES)) - before).max() > 1e-3
    check.layer(net, pictures(*PICTURES))


def test_an_error_says_in_which_layer():
    net = Network({"body": Network({"fc1": linear(3, 4), "fc2": linear(5, 2)})})
    for call in (net.forward, net):
        with pytest.raises(ValueError, match=r"Linear expects \(N, 5\), got \(2, 4\)") as error:
            call(pictures(2, 3))
        assert error.value.__notes__ == ['in the layer "fc2"', 'in the layer "body"']


def test_an_error_in_backward_says_in_which_layer():
    class Unfinished(ReLU):
        backward = Layer.backward

    net = Network({"fc1": linear(3, 4), "relu1": Unfinished()})
    y, cache = net.forward(pictures(2, 3))
    with pytest.raises(NotImplementedError, match="Unfinished has no backward yet") as error:
        net.backward(y, cache)
    assert error.value.__notes__ == ['in the layer "relu1"']


def test_a_network_shows_its_layers():
    net = Network({"fc1": linear(3, 4), "body": Network({"relu1": ReLU()})})
    assert repr(net) == (
        "Network(\n  fc1: Linear(features=3, units=4)\n  body: Network(\n    relu1: ReLU()\n  )\n)"
    )


def test_no_gradient_for_pictures_where_the_first_layer_has_none():
    assert small_alexnet().input_grad
    assert not small_alexnet(input_grad=False).input_grad


# ------------------------------------------------------------------------------------ parallel


def test_towers_see_their_own_channels_only():
    a, b = convolution(2, 3, 3, seed=1), convolution(2, 3, 3, seed=2)
    x = pictures(2, 5, 6, 4)
    y = Parallel({"a": a, "b": b})(x)
    np.testing.assert_array_equal(y[..., :3], a(x[..., :2]))
    np.testing.assert_array_equal(y[..., 3:], b(x[..., 2:]))
    np.testing.assert_array_equal(Parallel({"a": a, "b": b}).forward(x)[0], y)


def test_two_towers_are_a_convolution_with_half_the_weights_zero():
    a, b = convolution(2, 3, 3, seed=1, pad=1), convolution(2, 3, 3, seed=2, pad=1)
    whole = convolution(4, 6, 3, pad=1)
    weight = np.zeros((3, 3, 4, 6), np.float32)
    weight[:, :, :2, :3], weight[:, :, 2:, 3:] = a.params["weight"], b.params["weight"]
    whole.params = {"weight": weight, "bias": whole.params["bias"]}
    x = pictures(2, 4, 5, 4)
    np.testing.assert_allclose(Parallel({"a": a, "b": b})(x), whole(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", [None, 2])
def test_gradient_of_three_towers(seed):
    towers = {
        name: Network({"conv": convolution(2, 3, 2, seed=place), "drop": Dropout(0.3)})
        for place, name in enumerate("abc")
    }
    check.layer(Parallel(towers), pictures(2, 3, 4, 6), seed)


def test_channels_that_cannot_be_shared():
    towers = Parallel({"a": ReLU(), "b": ReLU()})
    with pytest.raises(ValueError) as error:
        towers.forward(pictures(2, 4, 4, 5))
    assert str(error.value) == "Parallel cannot share 5 channels among 2 layers"


def test_outputs_that_cannot_be_joined():
    towers = Parallel({"a": linear(2, 3), "b": linear(2, 4)})
    for call in (towers.forward, towers):
        with pytest.raises(ValueError) as error:
            call(pictures(2, 4))
        assert str(error.value) == (
            "Parallel expects outputs of one shape from its layers, got (2, 3) and (2, 4)"
        )


def test_gradients_that_cannot_be_shared():
    towers = Parallel({"a": linear(2, 3), "b": linear(2, 3)})
    _, cache = towers.forward(pictures(2, 4))
    with pytest.raises(ValueError, match="Parallel cannot share 5 channels among 2 layers"):
        towers.backward(pictures(2, 5), cache)


def test_towers_on_pictures_have_no_gradient_in_them():
    rng = np.random.default_rng(0)
    towers = Parallel(
        {name: Conv2D(2, 3, 3, std=1, rng=rng, input_grad=False) for name in ("a", "b")}
    )
    check.layer(towers, rng.normal(size=(2, 5, 4, 4)))
    y, cache = towers.forward(rng.normal(size=(2, 5, 4, 4)))
    assert towers.backward(y, cache)[0] is None
