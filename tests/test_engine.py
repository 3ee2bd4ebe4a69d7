"""However a network is run on a CPU, it is the same network."""

import numpy as np
import pytest

from minialexnet import engine
from minialexnet.engine import ENGINES, for_cpu
from minialexnet.layers import Conv2D, Network, Parallel, ReLU, Winograd
from minialexnet.networks import alexnet, cifar_80sec, mini

FAST = [name for name in ENGINES if name != "plain"]


def rng(seed=0):
    return np.random.default_rng(seed)


def kinds(net) -> dict[str, dict[str, type]]:
    """The kind of layer under each name, stage by stage; of the first tower where there are two."""
    found = {}
    for stage, part in net.layers.items():
        layers = getattr(part, "layer", part).layers
        found[stage] = {
            name: type(layer.layers["a"] if isinstance(layer, Parallel) else layer)
            for name, layer in layers.items()
        }
    return found


def test_plain_is_the_network_itself():
    net = mini(rng())
    assert for_cpu(net, "plain", (32, 32, 3)) is net


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("make", [mini, cifar_80sec])
def test_results_are_those_of_the_plain_network(make, name):
    net = make(rng())
    fast = for_cpu(net, name, (32, 32, 3), threads=2)
    # Enough pictures for several slices, the last of them short.
    x = 50 * rng(3).standard_normal((35, 32, 32, 3), dtype=np.float32)
    (y, cache), (fast_y, fast_cache) = net.forward(x), fast.forward(x)
    for found in (fast_y, fast(x)):
        np.testing.assert_allclose(found, y, rtol=0, atol=2e-5 * abs(y).max())
    (dx, grads), (fast_dx, fast_grads) = net.backward(y, cache), fast.backward(y, fast_cache)
    assert dx is None and fast_dx is None
    assert list(fast_grads) == list(grads) == list(fast.params) == list(net.params)
    for key, grad in grads.items():
        np.testing.assert_allclose(fast_grads[key], grad, rtol=0, atol=1e-4 * abs(grad).max())


def test_stages_end_where_pictures_become_smaller():
    fast = for_cpu(mini(rng()), "sliced", (32, 32, 3), threads=3)
    assert list(fast.layers) == ["conv1 to pool1", "conv2 to pool2", "conv3 to pool5", "head"]
    assert [stage.threads for stage in list(fast.layers.values())[:-1]] == [3, 3, 3]
    assert next(iter(fast.layers["head"].layer.layers)) == "flatten"


def test_only_a_big_head_has_products_on_several_threads():
    heads = {
        make: for_cpu(make(rng()), "sliced", shape, threads=2).layers["head"]
        for make, shape in [(mini, (32, 32, 3)), (alexnet, (227, 227, 3))]
    }
    assert heads[mini].threads == 1
    assert len(heads[mini]._slices(np.zeros((1000, 1)))) == 1
    assert isinstance(heads[alexnet], Network)


@pytest.mark.parametrize("name", FAST)
def test_parameters_are_shared(name):
    net = cifar_80sec(rng())
    fast = for_cpu(net, name, (32, 32, 3))
    assert list(fast.params) == list(net.params)
    fast.params = {key: np.zeros_like(array) for key, array in fast.params.items()}
    assert all((array == 0).all() for array in net.params.values())


def test_winograd_where_it_pays():
    """Few channels would lose more by the transforms than the products gain."""
    found = {
        make.__name__: {
            key
            for stage in kinds(for_cpu(make(rng()), "winograd", shape)).values()
            for key, kind in stage.items()
            if kind is Winograd
        }
        for make, shape in [
            (alexnet, (227, 227, 3)),
            (cifar_80sec, (32, 32, 3)),
            (mini, (32, 32, 3)),
        ]
    }
    assert found["alexnet"] == {"conv2", "conv3", "conv4", "conv5"}
    assert found["cifar_80sec"] == {"conv2", "conv3"}
    assert found["mini"] == set()


@pytest.mark.parametrize(
    ("kernel", "stride", "kind"),
    [(3, 1, Winograd), (5, 1, Winograd), (3, 2, Conv2D), (7, 1, Conv2D)],
)
def test_winograd_where_it_can(kernel, stride, kind):
    net = Network({"conv1": Conv2D(128, 128, kernel, stride, rng=rng())})
    (stage,) = for_cpu(net, "winograd", (16, 16, 128)).layers.values()
    assert type(stage.layer.layers["conv1"]) is kind


def test_a_students_convolution_stays():
    class MyConv(Conv2D):
        pass

    net = for_cpu(cifar_80sec(rng(), Conv2D=MyConv), "winograd", (32, 32, 3))
    assert kinds(net)["relu1 to pool2"]["conv2"] is MyConv


def test_slices_fit_the_cache_but_leave_work_for_every_thread():
    stages = list(for_cpu(alexnet(rng()), "winograd", (227, 227, 3)).layers.values())
    # conv1's maps take 1.2 MB a picture; conv2's tiles are 49 a picture, those of conv3 16.
    assert [stage.images for stage in stages[:-1]] == [1, 3, 8]
    stages = list(for_cpu(mini(rng()), "sliced", (32, 32, 3)).layers.values())
    assert {stage.images for stage in stages[:-1]} == {engine.IMAGES}


def test_a_network_without_flatten_is_one_stage():
    net = Network({"conv": Conv2D(3, 4, 3, rng=rng()), "relu": ReLU()})
    fast = for_cpu(net, "sliced", (6, 6, 3))
    assert list(fast.layers) == ["conv to relu"]
    x = rng().standard_normal((5, 6, 6, 3), dtype=np.float32)
    np.testing.assert_allclose(fast(x), net(x), rtol=0, atol=1e-7)
