"""The networks: the tables in their docstrings, their initial weights, their gradients."""

import re
from math import sqrt

import numpy as np
import pytest

from minialexnet.layers import Layer, Tanh
from minialexnet.loss import softmax_cross_entropy
from minialexnet.networks import SIZES, __all__, alexnet, cifar_80sec, mini, one_tower


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def nets():
    return {make: make(rng()) for make in (alexnet, cifar_80sec, mini, one_tower)}


every_network = pytest.mark.parametrize("make", [alexnet, cifar_80sec, mini, one_tower])
small_networks = pytest.mark.parametrize("make", [cifar_80sec, mini])


def table(make):
    """The rows of the docstring: {layer: (shape of one image's output, parameters)}."""
    row = re.compile(r"^ *(\w+) .*N((?:, *\d+)+)(?: +([\d,]+))?$", re.MULTILINE)
    return {
        name: (tuple(map(int, shape.split(",")[1:])), int(count.replace(",", "") or 0))
        for name, shape, count in row.findall(make.__doc__)
    }


def test_the_tables_are_read():
    assert table(alexnet)["input"] == ((227, 227, 3), 0)
    assert table(alexnet)["conv2"] == ((27, 27, 256), 307_456)
    assert table(alexnet)["fc8"] == ((1000,), 4_097_000)
    assert [len(table(make)) for make in (alexnet, cifar_80sec, mini)] == [12, 9, 12]
    assert len(table(one_tower)) == 12


def test_every_network_says_how_big_its_pictures_are(nets):
    assert set(SIZES) == set(__all__) == {make.__name__ for make in nets}
    assert {make.__name__: table(make)["input"][0][0] for make in nets} == SIZES


@every_network
def test_the_table_is_true(nets, make):
    """Every shape by a picture that goes through, every count by the arrays."""
    rows = table(make)
    x = rng().standard_normal((1, *rows.pop("input")[0]), dtype=np.float32)
    for name, layer in nets[make].layers.items():
        x = layer(x)
        count = sum(array.size for array in layer.params.values())
        if name in rows:
            assert (x.shape[1:], count) == rows.pop(name), name
        else:
            assert count == 0, name
    assert rows == {}


@pytest.mark.parametrize(
    ("make", "count"), [(alexnet, 60_965_224), (cifar_80sec, 145_578), (mini, 131_738)]
)
def test_the_number_of_parameters(nets, make, count):
    assert sum(array.size for array in nets[make].params.values()) == count
    assert f"{count:,} parameters" in make.__doc__


@every_network
def test_weights_are_float32(nets, make):
    assert {array.dtype for array in nets[make].params.values()} == {np.dtype(np.float32)}


@every_network
def test_the_first_layer_works_out_no_gradient_in_the_pictures(nets, make):
    assert not nets[make].input_grad
    assert all(layer.input_grad for layer in list(nets[make].layers.values())[1:])


def initial(net):
    """{layer: (standard deviation of its weights, its biases)}."""
    params = net.params
    layers = [name.removesuffix(".weight") for name in params if name.endswith(".weight")]
    return {
        layer: (float(params[f"{layer}.weight"].std()), set(params[f"{layer}.bias"].tolist()))
        for layer in layers
    }


def he(inputs):
    return sqrt(2 / inputs)


INITIAL = {
    alexnet: {
        "conv1": (0.01, 0),
        "conv2.a": (0.01, 1),
        "conv2.b": (0.01, 1),
        "conv3": (0.01, 0),
        "conv4.a": (0.01, 1),
        "conv4.b": (0.01, 1),
        "conv5.a": (0.01, 1),
        "conv5.b": (0.01, 1),
        "fc6": (0.01, 1),
        "fc7": (0.01, 1),
        "fc8": (0.01, 0),
    },
    one_tower: {
        "conv1": (he(11 * 11 * 3), 0),
        "conv2": (he(5 * 5 * 64), 0),
        "conv3": (he(3 * 3 * 192), 0),
        "conv4": (he(3 * 3 * 384), 0),
        "conv5": (he(3 * 3 * 256), 0),
        "fc6": (he(9216), 0),
        "fc7": (he(4096), 0),
        "fc8": (he(4096), 0),
    },
    cifar_80sec: {
        "conv1": (0.0001, 0),
        "conv2": (0.01, 0),
        "conv3": (0.01, 0),
        "fc4": (0.1, 0),
        "fc5": (0.1, 0),
    },
    mini: {
        "conv1": (he(75), 0),
        "conv2.a": (2**0.75 * he(200), 0),
        "conv2.b": (2**0.75 * he(200), 0),
        "conv3": (2**0.75 * he(288), 0),
        "conv4.a": (he(288), 0),
        "conv4.b": (he(288), 0),
        "conv5.a": (he(288), 0),
        "conv5.b": (he(288), 0),
        "fc6": (he(432), 0),
        "fc7": (he(128), 0),
        "fc8": (he(128), 0),
    },
}


@every_network
def test_initial_weights(nets, make):
    found = initial(nets[make])
    assert list(found) == list(INITIAL[make])
    for layer, (std, bias) in INITIAL[make].items():
        # The smallest layer has 640 weights: the deviation of their deviation is under 3 %.
        assert found[layer][0] == pytest.approx(std, rel=0.08), layer
        assert found[layer][1] == {bias}, layer


def test_towers_begin_differently(nets):
    params = nets[alexnet].params
    assert (params["conv2.a.weight"] != params["conv2.b.weight"]).mean() > 0.99


@small_networks
def test_the_generator_decides(make):
    first, again, other = make(rng(1)).params, make(rng(1)).params, make(rng(2)).params
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])
        assert (array != other[name]).any() == name.endswith(".weight")


@small_networks
def test_the_number_of_classes(make):
    net = make(rng(), classes=7)
    assert net(np.zeros((2, 32, 32, 3), np.float32)).shape == (2, 7)


class Stub(Layer):
    """A layer that notes how it was made and costs nothing."""

    def __init__(self, *numbers, **settings):
        super().__init__()
        self.numbers, self.settings = numbers, settings


def test_the_number_of_classes_of_alexnet():
    net = alexnet(rng(), classes=17, Conv2D=Stub, Linear=Stub)
    assert net.layers["fc8"].numbers == (4096, 17)
    assert net.layers["fc7"].numbers == (4096, 4096)


@every_network
def test_a_students_layer_everywhere(make):
    net = make(rng(), ReLU=Tanh, Conv2D=Stub, Linear=Stub)
    kinds = {type(layer).__name__ for layer in net.layers.values()}
    assert {"Tanh", "Stub"} <= kinds
    assert not {"ReLU", "Conv2D", "Linear"} & kinds


def test_a_students_layer_in_the_towers():
    net = alexnet(rng(), Conv2D=Stub, Linear=Stub)
    assert [type(tower) for tower in net.layers["conv4"].layers.values()] == [Stub, Stub]


@every_network
def test_a_kind_of_layer_that_there_is_not(make):
    with pytest.raises(TypeError) as error:
        make(rng(), Relu=Tanh)
    assert str(error.value).startswith(
        'no kind of layer is named "Relu": choose from AveragePool, Conv2D, Dropout, '
    )


def test_one_image_is_what_it_is_in_a_batch(nets):
    x = 50 * rng(1).standard_normal((3, 32, 32, 3), dtype=np.float32)
    y = nets[mini](x)
    np.testing.assert_allclose(nets[mini](x[1:2]), y[1:2], rtol=0, atol=1e-5 * abs(y).max())


def test_a_network_without_its_last_layers_is_a_network(nets):
    """Features of a trained network are a slice of its table."""
    net = nets[mini]
    features = type(net)(dict(list(net.layers.items())[:-1]))
    assert features(np.zeros((2, 32, 32, 3), np.float32)).shape == (2, 128)


@pytest.mark.parametrize("seed", [None, 8], ids=["evaluation", "training"])
@small_networks
def test_the_loss_falls_as_the_gradients_say(make, seed):
    """For each parameter the slope of the loss along a random direction, in float64."""
    net = make(rng())
    # Larger than at the start, so that every layer has a say in the loss.
    params = {name: 1.5 * array.astype(float) for name, array in net.params.items()}
    if make is cifar_80sec:
        params["conv1.weight"] *= 100
    pixels = 60 if make is cifar_80sec else 1
    x, labels = pixels * rng(1).standard_normal((3, 32, 32, 3)), np.array([3, 0, 9])

    def loss(**changed):
        net.params = params | changed
        scores, cache = net.forward(x, None if seed is None else rng(seed))
        return softmax_cross_entropy(scores, labels), cache

    (_, dscores), cache = loss()
    dx, grads = net.backward(dscores, cache)
    assert dx is None
    for place, (name, array) in enumerate(params.items()):
        direction = rng(place).standard_normal(array.shape) * max(array.std(), 0.01)
        slope = (grads[name] * direction).sum()
        step = 1e-6 if make is cifar_80sec else 1e-7
        up, down = (
            float(loss(**{name: array + sign * step * direction})[0][0]) for sign in (1, -1)
        )
        assert slope == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-8), name
