"""The networks: the tables in their docstrings, their initial weights, what tells them apart."""

import inspect
import re
from math import sqrt

import numpy as np
import pytest

from minialexnet import layers, networks
from minialexnet.layers import Conv2D, Layer, Linear, MaxPool, Parallel, ReLU, Tanh
from minialexnet.loss import softmax_cross_entropy
from minialexnet.networks import (
    SIZES,
    alexnet,
    alexnet_as_run,
    alexnet_half,
    alexnet_no_norm,
    alexnet_no_towers,
    alexnet_pool2,
    caffe_alexnet,
    caffenet,
    cifar_11pct,
    cifar_13pct,
    cifar_18pct,
    cifar_19pct,
    cifar_80sec,
    four_layers,
    mini,
    one_tower,
    one_tower_norm,
)

NETWORKS = [getattr(networks, name) for name in networks.__all__]
SMALL = [make for make in NETWORKS if SIZES[make.__name__] <= 32]
TOWERS = [alexnet, alexnet_as_run, alexnet_no_norm, alexnet_pool2, caffe_alexnet, caffenet]


def rng(seed=0):
    return np.random.default_rng(seed)


def its_name(make):
    return make.__name__


@pytest.fixture(scope="module", params=NETWORKS, ids=its_name)
def make(request):
    return request.param


@pytest.fixture(scope="module")
def net(make):
    """With weights, 240 MB for ImageNet: pytest has only one at a time alive."""
    return make(rng())


small_networks = pytest.mark.parametrize("make", SMALL, ids=its_name)


class Stub(Layer):
    """A layer that costs nothing and remembers what it was made with."""

    def __init__(self, *numbers, **settings):
        super().__init__()
        self.numbers, self.settings = numbers, settings


def weightless(kind):
    """The kind's stub, with its arguments by name and without the generator."""

    class Weightless(Layer):
        def __init__(self, *numbers, **settings):
            super().__init__()
            call = inspect.signature(kind).bind(*numbers, **settings)
            call.apply_defaults()
            self.settings = call.arguments
            del self.settings["rng"]

    return Weightless


LightConv2D, LightLinear = weightless(Conv2D), weightless(Linear)


def light(make, **settings):
    """The network in no time: its large layers have no weights."""
    return make(rng(), Conv2D=LightConv2D, Linear=LightLinear, **settings)


def parts(layer):
    """The layers of the towers, or the layer alone."""
    return list(layer.layers.values()) if isinstance(layer, Parallel) else [layer]


def only(net, *kinds):
    """The layers of these kinds, in towers or not: {name: [layer, ...]}."""
    return {
        name: parts(layer)
        for name, layer in net.layers.items()
        if all(isinstance(part, kinds) for part in parts(layer))
    }


# ---------------------------------------------------------------- tables


def table(make):
    """The rows of the docstring: {layer: (shape of one image's output, parameters)}."""
    row = re.compile(r"^ *(\w+) .*N((?:, *\d+)+)(?: +([\d,]+))?$", re.MULTILINE)
    return {
        name: (tuple(map(int, shape.split(",")[1:])), int(count.replace(",", "") or 0))
        for name, shape, count in row.findall(make.__doc__)
    }


ROWS = {
    alexnet: 12,
    alexnet_as_run: 15,
    alexnet_half: 15,
    alexnet_no_norm: 12,
    alexnet_no_towers: 14,
    alexnet_pool2: 15,
    caffe_alexnet: 14,
    caffenet: 14,
    cifar_11pct: 10,
    cifar_13pct: 8,
    cifar_18pct: 10,
    cifar_19pct: 8,
    cifar_80sec: 9,
    four_layers: 7,
    mini: 12,
    one_tower: 12,
    one_tower_norm: 14,
}


def test_the_tables_are_read():
    assert table(alexnet)["input"] == ((227, 227, 3), 0)
    assert table(alexnet)["conv2"] == ((27, 27, 256), 307_456)
    assert table(alexnet_pool2)["norm2"] == ((26, 26, 256), 0)
    assert table(alexnet)["fc8"] == ((1000,), 4_097_000)
    assert {make: len(table(make)) for make in NETWORKS} == ROWS


def test_every_network_says_how_big_its_pictures_are():
    assert {make.__name__: table(make)["input"][0] for make in NETWORKS} == {
        name: (size, size, 3) for name, size in SIZES.items()
    }


def test_the_table_is_true(make, net):
    """Every shape by a picture that goes through, every count by the arrays."""
    rows = table(make)
    x = rng().standard_normal((1, *rows.pop("input")[0]), dtype=np.float32)
    for name, layer in net.layers.items():
        x = layer(x)
        count = sum(array.size for array in layer.params.values())
        if name in rows:
            assert name == next(iter(rows)), "the rows are in the order of the layers"
            assert (x.shape[1:], count) == rows.pop(name), name
        else:
            assert count == 0, name
    assert rows == {}


PARAMETERS = {
    alexnet: 60_965_224,
    alexnet_as_run: 60_965_224,
    alexnet_half: 59_798_312,
    alexnet_no_norm: 60_965_224,
    alexnet_no_towers: 62_378_344,
    alexnet_pool2: 60_965_224,
    caffe_alexnet: 60_965_224,
    caffenet: 60_965_224,
    cifar_11pct: 2_112_970,
    cifar_13pct: 1_116_490,
    cifar_18pct: 89_578,
    cifar_19pct: 89_578,
    cifar_80sec: 145_578,
    four_layers: 318_666,
    mini: 131_738,
    one_tower: 61_100_840,
    one_tower_norm: 61_100_840,
}


def test_the_number_of_parameters(make, net):
    assert sum(array.size for array in net.params.values()) == PARAMETERS[make]
    assert f"{PARAMETERS[make]:,} parameters" in make.__doc__


def test_the_first_layer_works_out_no_gradient_in_the_pictures(net):
    assert not net.input_grad
    assert all(layer.input_grad for layer in list(net.layers.values())[1:])


# ---------------------------------------------------------------- initial weights


def he(inputs):
    return sqrt(2 / inputs)


def lecun(inputs):
    return sqrt(1 / inputs)


def towers(name, std, bias):
    return {f"{name}.a": (std, bias), f"{name}.b": (std, bias)}


PAPER = {
    "conv1": (0.01, 0),
    **towers("conv2", 0.01, 1),
    "conv3": (0.01, 0),
    **towers("conv4", 0.01, 1),
    **towers("conv5", 0.01, 1),
    "fc6": (0.01, 1),
    "fc7": (0.01, 1),
    "fc8": (0.01, 0),
}
AS_RUN = {
    "conv1": (0.01, 0),
    **towers("conv2", 0.01, 1),
    "conv3": (0.03, 0),
    **towers("conv4", 0.03, 1),
    **towers("conv5", 0.03, 1),
    "fc6": (0.01, 1),
    "fc7": (0.01, 1),
    "fc8": (0.01, 0),
}
ONE_COLUMN = {
    "conv1": (0.01, 0),
    "conv2": (0.01, 1),
    "conv3": (0.03, 0),
    "conv4": (0.03, 1),
    "conv5": (0.03, 1),
    "fc6": (0.01, 1),
    "fc7": (0.01, 1),
    "fc8": (0.01, 0),
}


def caffe(bias):
    return {
        "conv1": (0.01, 0),
        **towers("conv2", 0.01, bias),
        "conv3": (0.01, 0),
        **towers("conv4", 0.01, bias),
        **towers("conv5", 0.01, bias),
        "fc6": (0.005, bias),
        "fc7": (0.005, bias),
        "fc8": (0.01, 0),
    }


# Standard deviation of the weights and value of the biases, layer by layer.
INITIAL = {
    alexnet: PAPER,
    alexnet_as_run: AS_RUN,
    alexnet_half: ONE_COLUMN,
    alexnet_no_norm: AS_RUN,
    alexnet_pool2: AS_RUN,
    alexnet_no_towers: {
        "conv1": (lecun(11 * 11 * 3), 0),
        "conv2": (lecun(5 * 5 * 96), 0),
        "conv3": (lecun(3 * 3 * 256), 0),
        "conv4": (lecun(3 * 3 * 384), 0),
        "conv5": (lecun(3 * 3 * 384), 0),
        "fc6": (lecun(9216), 0),
        "fc7": (lecun(4096), 0),
        "fc8": (lecun(4096), 0),
    },
    caffe_alexnet: caffe(0.1),
    caffenet: caffe(1),
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
    one_tower_norm: ONE_COLUMN | {"fc8": (0.01, -7)},
    four_layers: {
        "conv1": (he(5 * 5 * 3), 0),
        "conv2": (he(5 * 5 * 32), 0),
        "fc3": (he(4 * 4 * 64), 0),
        "fc4": (he(256), 0),
    },
    cifar_80sec: {
        "conv1": (0.0001, 0),
        "conv2": (0.01, 0),
        "conv3": (0.01, 0),
        "fc4": (0.1, 0),
        "fc5": (0.1, 0),
    },
    cifar_19pct: {
        "conv1": (0.0001, 0),
        "conv2": (0.01, 0),
        "conv3": (0.01, 0),
        "fc4": (0.01, 0),
    },
    cifar_18pct: {
        "conv1": (0.0001, 0),
        "conv2": (0.01, 0),
        "conv3": (0.01, 0),
        "fc4": (0.01, 0),
    },
    cifar_13pct: {
        "conv1": (0.0001, 0),
        "conv2": (0.01, 0),
        "local3": (0.04, 0),
        "local4": (0.04, 0),
        "fc5": (0.01, 0),
    },
    cifar_11pct: {
        "conv1": (0.0001, 0),
        "conv2": (0.01, 0),
        "local3": (0.04, 0),
        "local4": (0.04, 0),
        "fc5": (0.01, 0),
    },
    mini: {
        "conv1": (he(75), 0),
        **towers("conv2", 2**0.75 * he(200), 0),
        "conv3": (2**0.75 * he(288), 0),
        **towers("conv4", he(288), 0),
        **towers("conv5", he(288), 0),
        "fc6": (he(432), 0),
        "fc7": (he(128), 0),
        "fc8": (he(128), 0),
    },
}


def test_initial_weights(make, net):
    params = net.params
    assert {array.dtype for array in params.values()} == {np.dtype(np.float32)}
    assert list(params) == [
        f"{layer}.{part}" for layer in INITIAL[make] for part in ("weight", "bias")
    ]
    for layer, (std, bias) in INITIAL[make].items():
        # The smallest layer has 640 weights: the deviation of their deviation is under 3 %.
        assert params[f"{layer}.weight"].std() == pytest.approx(std, rel=0.08), layer
        assert (params[f"{layer}.bias"] == np.float32(bias)).all(), layer


def test_every_layer_draws_weights_of_its_own(net):
    """Towers above all: those that begin alike would stay alike."""
    first = [array.reshape(-1)[:50] for key, array in net.params.items() if key.endswith("weight")]
    scaled = [tuple(weights / abs(weights).max()) for weights in first]
    assert len(set(scaled)) == len(scaled)


@small_networks
def test_the_generator_decides(make):
    first, again, other = make(rng(1)).params, make(rng(1)).params, make(rng(2)).params
    for name, array in first.items():
        np.testing.assert_array_equal(array, again[name])
        assert (array != other[name]).any() == name.endswith(".weight")


# ---------------------------------------------------------------- what tells them apart


def lrn(size, k, alpha, beta=0.75):
    return "LocalResponseNorm", size, k, pytest.approx(alpha, rel=1e-12), beta


def same_map(size, k, alpha, beta=0.75):
    return "ResponseNorm", size, k, pytest.approx(alpha, rel=1e-12), beta


AS_RUN_NORMS = {
    "norm1": [lrn(5, 2, 2e-5), lrn(5, 2, 2e-5)],
    "norm2": [lrn(5, 2, 2e-5), lrn(5, 2, 2e-5)],
    "cnorm2": [same_map(5, 1, 4e-5)],
}
# All the norms of a network: over 5 maps of each tower ..., with alpha for the plain sum.
NORMS = {
    alexnet: {"norm1": [lrn(5, 2, 1e-4)], "norm2": [lrn(5, 2, 1e-4)]},
    alexnet_as_run: AS_RUN_NORMS,
    alexnet_half: {
        "norm1": [lrn(5, 2, 2e-5)],
        "norm2": [lrn(5, 2, 2e-5)],
        "cnorm2": [same_map(5, 1, 4e-5)],
    },
    alexnet_no_norm: {},
    alexnet_pool2: AS_RUN_NORMS,
    alexnet_no_towers: {"norm1": [lrn(5, 2, 1e-4)], "norm2": [lrn(5, 2, 1e-4)]},
    caffe_alexnet: {"norm1": [lrn(5, 1, 2e-5)], "norm2": [lrn(5, 1, 2e-5)]},
    caffenet: {"norm1": [lrn(5, 1, 2e-5)], "norm2": [lrn(5, 1, 2e-5)]},
    one_tower: {},
    one_tower_norm: {"norm1": [lrn(5, 2, 2e-5)], "norm2": [lrn(5, 2, 2e-5)]},
    cifar_80sec: {},
    four_layers: {},
    cifar_19pct: {},
    cifar_18pct: {"norm1": [same_map(3, 1, 5e-5 / 9)], "norm2": [same_map(3, 1, 5e-5 / 9)]},
    cifar_13pct: {},
    cifar_11pct: {"norm1": [lrn(9, 1, 0.001 / 9)], "norm2": [lrn(9, 1, 0.001 / 9)]},
    mini: {"norm1": [lrn(5, 2, 1e-4)], "norm2": [lrn(5, 2, 1e-4)]},
}


def test_norms(make):
    found = only(light(make), layers.LocalResponseNorm, layers.ResponseNorm)
    assert {
        name: [(type(norm).__name__, norm.size, norm.k, norm.alpha, norm.beta) for norm in norms]
        for name, norms in found.items()
    } == NORMS[make]


# Window, stride, and whether the last windows may hang over the edge.
FLOOR, CEIL = (3, 2, False), (3, 2, True)
POOLS = dict.fromkeys(NETWORKS, CEIL) | {
    alexnet: FLOOR,
    alexnet_pool2: (2, 2, True),
    mini: FLOOR,
    one_tower: FLOOR,
}


def test_pooling(make):
    pools = only(light(make), layers.MaxPool, layers.AveragePool)
    assert len(pools) == (2 if make in (cifar_13pct, cifar_11pct, four_layers) else 3)
    for name, (pool,) in pools.items():
        assert (pool.kernel, pool.stride, pool.ceil) == POOLS[make], name
        average = make in (cifar_80sec, cifar_19pct, cifar_18pct) and name != "pool1"
        assert isinstance(pool, layers.AveragePool) == average, name


INVERTED = (alexnet_no_towers, caffe_alexnet, caffenet, one_tower)


def test_dropout(make):
    found = only(light(make), layers.Dropout)
    without = make is four_layers or make.__name__.startswith("cifar")
    where = [] if without else ["drop6", "drop7"]
    assert list(found) == (["drop5", "drop6"] if make is one_tower else where)
    for (drop,) in found.values():
        assert (drop.rate, drop.inverted) == (0.5, make in INVERTED)


def test_towers_are_where_the_paper_has_them(make):
    convolutions = only(light(make), LightConv2D)
    double = [name for name, towers in convolutions.items() if len(towers) == 2]
    assert double == (["conv2", "conv4", "conv5"] if make in [*TOWERS, mini] else [])


def changed(make, other):
    """The layers that both have, but of another kind or with other settings."""
    ours, theirs = (
        {
            name: [(type(part), vars(part) | {"params": None}) for part in parts(layer)]
            for name, layer in light(network).layers.items()
        }
        for network in (make, other)
    )
    return {name for name in ours if name in theirs and ours[name] != theirs[name]}


def order(make):
    return " ".join(light(make).layers)


PAPER_ORDER = (
    "conv1 relu1 norm1 pool1 conv2 relu2 norm2 pool2 conv3 relu3 conv4 relu4 conv5 relu5 pool5 "
    "flatten fc6 relu6 drop6 fc7 relu7 drop7 fc8"
)
AS_RUN_ORDER = (
    "conv1 norm1 pool1 relu1 conv2 relu2 norm2 cnorm2 pool2 conv3 relu3 conv4 relu4 conv5 pool5 "
    "relu5 flatten fc6 relu6 drop6 fc7 relu7 drop7 fc8"
)
CAFFENET_ORDER = (
    "conv1 relu1 pool1 norm1 conv2 relu2 pool2 norm2 conv3 relu3 conv4 relu4 conv5 relu5 pool5 "
    "flatten fc6 relu6 drop6 fc7 relu7 drop7 fc8"
)
TORCHVISION_ORDER = (
    "conv1 relu1 pool1 conv2 relu2 pool2 conv3 relu3 conv4 relu4 conv5 relu5 pool5 "
    "flatten drop5 fc6 relu6 drop6 fc7 relu7 fc8"
)


def without(names, *left_out):
    return " ".join(name for name in names.split() if name not in left_out)


def test_networks_in_the_order_of_the_paper():
    assert order(alexnet) == PAPER_ORDER
    assert order(caffe_alexnet) == PAPER_ORDER
    assert order(alexnet_no_towers) == PAPER_ORDER


def test_the_network_that_was_run():
    """It normalises before it rectifies, twice in the second layer, and sees 224 pixels."""
    assert order(alexnet_as_run) == AS_RUN_ORDER
    convolutions, pools = {"conv1", "conv3", "conv4", "conv5"}, {"pool1", "pool2", "pool5"}
    assert changed(alexnet_as_run, alexnet) == convolutions | pools | {"norm1", "norm2"}
    conv1 = light(alexnet_as_run).layers["conv1"].settings
    assert (conv1["kernel"], conv1["stride"], conv1["pad"]) == (11, 4, ((0, 3), (0, 3)))
    assert light(alexnet).layers["conv1"].settings == conv1 | {"pad": 0}


def test_half_of_it():
    assert order(alexnet_half) == AS_RUN_ORDER
    assert changed(alexnet_half, alexnet_as_run) == {
        *("conv1", "norm1", "conv2", "norm2", "conv3", "conv4", "conv5")
    }
    assert {
        name: (conv.settings["channels"], conv.settings["filters"])
        for name, (conv,) in only(light(alexnet_half), LightConv2D).items()
    } == {
        "conv1": (3, 48),
        "conv2": (48, 128),
        "conv3": (128, 192),
        "conv4": (192, 192),
        "conv5": (192, 256),
    }


def test_without_normalisation_nothing_else_changes():
    assert order(alexnet_no_norm) == without(AS_RUN_ORDER, "norm1", "norm2", "cnorm2")
    assert changed(alexnet_no_norm, alexnet_as_run) == set()


def test_smaller_pooling_windows_go_with_less_padding():
    assert order(alexnet_pool2) == AS_RUN_ORDER
    assert changed(alexnet_pool2, alexnet_as_run) == {"pool1", "conv2", "pool2", "conv5", "pool5"}
    was, now = only(light(alexnet_as_run), LightConv2D), only(light(alexnet_pool2), LightConv2D)
    for name, before, after in (("conv2", 2, 1), ("conv5", 1, 0)):
        for tower, other in zip(was[name], now[name], strict=True):
            assert tower.settings["pad"] == before
            assert other.settings == tower.settings | {"pad": after}


def test_the_networks_of_caffe():
    different = {"norm1", "pool1", "norm2", "pool2", "pool5", "fc6", "drop6", "fc7", "drop7"}
    assert order(caffenet) == CAFFENET_ORDER
    assert changed(caffenet, alexnet) == different
    assert changed(caffe_alexnet, alexnet) == different | {"conv2", "conv4", "conv5"}
    assert changed(caffenet, caffe_alexnet) == {"conv2", "conv4", "conv5", "fc6", "fc7"}


def test_the_networks_with_one_tower():
    assert order(one_tower_norm) == without(AS_RUN_ORDER, "cnorm2")
    assert order(one_tower) == TORCHVISION_ORDER
    plain, norm = (only(light(make), LightConv2D) for make in (one_tower, one_tower_norm))
    assert plain["conv1"][0].settings["pad"] == 2
    assert norm["conv1"][0].settings["pad"] == ((0, 3), (0, 3))
    for name, (conv,) in plain.items():
        for setting in ("channels", "filters", "kernel", "stride"):
            assert conv.settings[setting] == norm[name][0].settings[setting], name


def test_the_networks_of_cuda_convnet_for_small_pictures():
    assert order(cifar_19pct) == without(order(cifar_18pct), "norm1", "norm2")
    assert changed(cifar_19pct, cifar_18pct) == set()
    assert order(cifar_13pct) == without(order(cifar_11pct), "norm1", "norm2")
    assert " pool1 norm1 " in order(cifar_11pct)
    assert " norm2 pool2 " in order(cifar_11pct)


# What the notes call the same, is.


def test_pooling_before_rectifying_is_the_same_as_after():
    x = rng().standard_normal((2, 9, 8, 3))
    x[0, :4, :4] = -abs(x[0, :4, :4])
    found = []
    for first, second in ((MaxPool(3), ReLU()), (ReLU(), MaxPool(3))):
        inner, undo_first = first.forward(x)
        y, undo_second = second.forward(inner)
        dy = rng(1).standard_normal(y.shape)
        found.append((y, first.backward(second.backward(dy, undo_second)[0], undo_first)[0]))
    (y, dx), (other_y, other_dx) = found
    assert (y == 0).any()
    np.testing.assert_array_equal(y, other_y)
    np.testing.assert_array_equal(dx, other_dx)


def test_windows_that_hang_over_the_edge_see_zeros():
    """conv1 on 224 pixels does what it does on 227 whose last three are 0."""
    hanging = light(alexnet_as_run).layers["conv1"].settings | {"filters": 2}
    x = rng(1).standard_normal((1, 224, 224, 3))
    wider = np.pad(x, ((0, 0), (0, 3), (0, 3), (0, 0)))
    y = Conv2D(**hanging, rng=rng())(x)
    np.testing.assert_array_equal(y, Conv2D(**(hanging | {"pad": 0}), rng=rng())(wider))


def test_a_common_shift_of_the_scores_changes_nothing():
    scores, labels = rng().standard_normal((4, 6)), np.array([0, 5, 2, 2])
    (loss, dscores), (shifted, dshifted) = (
        softmax_cross_entropy(scores + shift, labels) for shift in (0, -7)
    )
    assert float(shifted) == pytest.approx(float(loss), rel=1e-12)
    np.testing.assert_allclose(dshifted, dscores, rtol=0, atol=1e-15)


# ---------------------------------------------------------------- how they are made


@small_networks
def test_the_number_of_classes(make):
    size = SIZES[make.__name__]
    assert make(rng(), classes=7)(np.zeros((2, size, size, 3), np.float32)).shape == (2, 7)


def test_the_number_of_classes_makes_the_last_layer_and_no_other(make):
    few, many = (list(light(make, classes=count).layers.values()) for count in (17, 18))
    assert [layers[-1].settings["units"] for layers in (few, many)] == [17, 18]
    for one, other in zip(few[:-1], many[:-1], strict=True):
        for part, same in zip(parts(one), parts(other), strict=True):
            assert getattr(part, "settings", None) == getattr(same, "settings", None)


def test_a_students_layer_everywhere(make):
    net = make(rng(), ReLU=Tanh, Conv2D=Stub, Linear=Stub)
    kinds = {type(part).__name__ for layer in net.layers.values() for part in parts(layer)}
    assert {"Tanh", "Stub"} <= kinds
    assert not {"ReLU", "Conv2D", "Linear"} & kinds


def test_every_kind_of_layer_can_be_a_students(make):
    kinds = [name for name in layers.__all__ if name[0].isupper()]
    net = make(rng(), **dict.fromkeys(kinds, Stub))
    assert {type(layer) for layer in net.layers.values()} == {Stub}
    towers = [
        tower
        for layer in net.layers.values()
        for numbers in layer.numbers
        if isinstance(numbers, dict)
        for tower in numbers.values()
    ]
    assert len(towers) % 2 == 0
    assert {type(tower) for tower in towers} <= {Stub}


def test_a_kind_of_layer_that_there_is_not(make):
    with pytest.raises(TypeError) as error:
        make(rng(), Relu=Tanh)
    assert str(error.value).startswith(
        'no kind of layer is named "Relu": choose from AveragePool, Conv2D, Dropout, '
    )


# ---------------------------------------------------------------- what they compute


def test_one_image_is_what_it_is_in_a_batch():
    net = mini(rng())
    x = 50 * rng(1).standard_normal((3, 32, 32, 3), dtype=np.float32)
    y = net(x)
    np.testing.assert_allclose(net(x[1:2]), y[1:2], rtol=0, atol=1e-5 * abs(y).max())


def test_a_network_without_its_last_layers_is_a_network():
    """Features of a trained network are a slice of its table."""
    net = mini(rng())
    features = type(net)(dict(list(net.layers.items())[:-1]))
    assert features(np.zeros((2, 32, 32, 3), np.float32)).shape == (2, 128)


@pytest.mark.parametrize("seed", [None, 8], ids=["evaluation", "training"])
@pytest.mark.parametrize("make", [cifar_80sec, cifar_18pct, cifar_11pct, mini], ids=its_name)
def test_the_loss_falls_as_the_gradients_say(make, seed):
    """For each parameter the slope of the loss along a random direction, in float64."""
    net, size, cifar = make(rng()), SIZES[make.__name__], make is not mini
    # Larger than at the start, so that every layer has a say in the loss.
    params = {name: 1.5 * array.astype(float) for name, array in net.params.items()}
    if cifar:
        params["conv1.weight"] *= 100
    pixels = 60 if cifar else 1
    x, labels = pixels * rng(1).standard_normal((3, size, size, 3)), np.array([3, 0, 9])

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
        step = 1e-6 if cifar else 1e-7
        up, down = (
            float(loss(**{name: array + sign * step * direction})[0][0]) for sign in (1, -1)
        )
        assert slope == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-8), name
