"""The strict device refuses what it should, and all that layers do runs on it bit for bit."""

import math
import operator

import numpy as np
import pytest
from accelerators import on_each_accelerator, same

from minialexnet import layers, strict
from minialexnet.backend import Device, device, namespace
from minialexnet.loss import softmax, softmax_cross_entropy
from minialexnet.networks import mini
from minialexnet.optim import SGD

HOST = np.arange(1.0, 7.0).reshape(2, 3)


@pytest.fixture
def x():
    return strict.asarray(HOST)


# --------------------------------------------------------------------------------- the device


def test_the_doors_copy(x):
    host = HOST.copy()
    array = strict.asarray(host)
    host[:] = 0
    back = strict.asnumpy(array)
    np.testing.assert_array_equal(back, HOST)
    back[:] = 0
    np.testing.assert_array_equal(strict.asnumpy(array), HOST)


def test_it_is_found_by_namespace(x):
    assert namespace(x, x + 1) is strict
    assert strict.device() == Device("strict", strict.asarray, strict.asnumpy)


def test_shapes_are_known_without_a_transfer(x):
    assert (len(x), x.shape, x.ndim, x.size, x.dtype) == (2, (2, 3), 2, 6, np.float64)
    assert (x.strides, x.nbytes, x.T.shape) == ((24, 8), 48, (3, 2))
    assert repr(x) == "<float64 array (2, 3) on the strict device>"


def test_calculating_on_it_is_numpy(x):
    y = 2 * x - x / 4 + (-x) ** 2 @ strict.asarray(np.eye(3)) + (x > 2)
    np.testing.assert_array_equal(
        strict.asnumpy(y), 2 * HOST - HOST / 4 + (-HOST) ** 2 @ np.eye(3) + (HOST > 2)
    )


def test_writing_through_a_view(x):
    x[:, 1:] += 10
    x[0] = 7
    np.testing.assert_array_equal(strict.asnumpy(x), [[7, 7, 7], [4, 15, 16]])


def test_numbers_without_axes_stay_on_the_device(x):
    assert type(x.sum()) is type(x[0, 0]) is type(x.max() + 1) is strict.Array
    assert x.sum().shape == ()


TO_THE_HOST = {
    "asarray": np.asarray,
    "array": np.array,
    "float": lambda x: float(x[0, 0]),
    "int": lambda x: int(x[0, 0]),
    "complex": lambda x: complex(x[0, 0]),
    "sqrt": lambda x: math.sqrt(x[0, 0]),
    "round": lambda x: round(x[0, 0]),
    "format": lambda x: f"{x[0, 0]:.3f}",
    "index of a list": lambda x: [1, 2][x[0, 0]],
    "range": lambda x: range(x[0, 0]),
    "if": lambda x: 1 if x[0, 0] else 0,
    "and": lambda x: x[0, 0] and 1,
    "for": lambda x: [row for row in x],  # noqa: C416
    "unpacking": lambda x: (lambda a, b: a)(*x),
    "in": lambda x: 1.0 in x,
    "max": max,
    "sum": sum,
    "hash": hash,
    "buffer": memoryview,
    "np.exp": np.exp,
    "np.sum": np.sum,
    "np.where": lambda x: np.where(x, 1, 0),
    "np.concatenate": lambda x: np.concatenate([x, x]),
    "np.full": lambda x: np.full(2, x[0, 0]),
    "np.testing": lambda x: np.testing.assert_array_equal(x, x),
    "shape": lambda x: HOST.reshape(x[0, 0], -1),
}


@pytest.mark.parametrize("leak", TO_THE_HOST.values(), ids=TO_THE_HOST)
def test_nothing_leaves_by_itself(x, leak):
    with pytest.raises(TypeError):
        leak(x)


def test_it_shows_no_memory_to_numpy(x):
    for name in ("__array_interface__", "__array_struct__", "__dlpack__"):
        assert not hasattr(x, name)


def assign_to_host(x, value):
    HOST.copy()[0] = value


def add_to_host(x):
    host = HOST.copy()
    host += x


MIXED = {
    "x + host": lambda x: x + HOST,
    "host + x": lambda x: HOST + x,
    "x @ host": lambda x: x @ HOST.T,
    "host @ x": lambda x: HOST.T @ x,
    "x > host": lambda x: x > HOST,
    "host > x": lambda x: operator.gt(HOST, x),
    "x == host": lambda x: x == HOST,
    "host == x": lambda x: operator.eq(HOST, x),
    "host -= x": add_to_host,
    "x -= host": lambda x: x.__isub__(HOST),
    "0-d host": lambda x: x * np.array(2.0),
    "list": lambda x: operator.add(x, [1.0, 2.0, 3.0]),
    "None": lambda x: x * None,
    "x[host]": lambda x: x[np.array([0])],
    "x[:, host]": lambda x: x[:, np.array([0])],
    "x[list]": lambda x: x[[0, 1]],
    "host[x]": lambda x: HOST[x > 2],
    "x[0] = host": lambda x: x.__setitem__(0, HOST[0]),
    "x[host] = 0": lambda x: x.__setitem__(HOST > 2, 0),
    "host[0] = x": lambda x: assign_to_host(x, x[0]),
    "maximum": lambda x: strict.maximum(x, HOST),
    "concatenate": lambda x: strict.concatenate([x, HOST]),
    "namespace": lambda x: namespace(x, HOST),
    "out": lambda x: np.add(HOST, x, out=HOST.copy()),
}


@pytest.mark.parametrize("mixture", MIXED.values(), ids=MIXED)
def test_it_does_not_mix_with_the_host(x, mixture):
    with pytest.raises(TypeError):
        mixture(x)


def test_device_indices_work(x):
    rows, columns = strict.asarray(np.array([1, 0])), strict.asarray(np.array([2, 0]))
    np.testing.assert_array_equal(strict.asnumpy(x[rows, columns]), [6, 1])


def test_it_has_no_more_than_it_lists(x):
    with pytest.raises(AttributeError):
        strict.median(x)
    with pytest.raises(TypeError, match="sum of the strict device has no where"):
        x.sum(where=x > 2)
    with pytest.raises(TypeError, match="as_strided of the strict device has no writeable"):
        strict.lib.stride_tricks.as_strided(x, (2,), (8,), writeable=False)


def test_asnumpy_takes_its_own_arrays_only():
    with pytest.raises(TypeError, match="expected an array of the strict device, got ndarray"):
        strict.asnumpy(HOST)


# ------------------------------------------------------------------------- everything runs on it


def rng(seed=0):
    return np.random.default_rng(seed)


def convolution(channels, filters, kernel, **settings):
    return layers.Conv2D(channels, filters, kernel, std=0.3, bias=0.5, rng=rng(), **settings)


CASES = {
    "Conv2D": (lambda: convolution(3, 5, 3, pad=1), (2, 7, 6, 3)),
    "Conv2D strided": (lambda: convolution(3, 5, 3, stride=2, pad=((1, 2), (0, 1))), (2, 7, 6, 3)),
    "Conv2D on pictures": (lambda: convolution(3, 4, 5, stride=4, input_grad=False), (2, 13, 9, 3)),
    "Winograd": (lambda: layers.Winograd(convolution(3, 5, 3, pad=1)), (2, 7, 6, 3)),
    "Conv2D far outside": (lambda: convolution(2, 3, 2, pad=3), (2, 4, 5, 2)),
    "LocallyConnected2D": (
        lambda: layers.LocallyConnected2D(6, 5, 3, 4, 3, stride=2, pad=1, std=0.3, rng=rng()),
        (3, 6, 5, 3),
    ),
    "MaxPool": (lambda: layers.MaxPool(3, 2), (2, 7, 8, 3)),
    "MaxPool ceil": (lambda: layers.MaxPool(3, 2, ceil=True), (2, 6, 8, 3)),
    "AveragePool": (lambda: layers.AveragePool(3, 2), (2, 7, 8, 3)),
    "AveragePool ceil": (lambda: layers.AveragePool(3, 2, ceil=True), (2, 6, 8, 3)),
    "LocalResponseNorm": (lambda: layers.LocalResponseNorm(alpha=0.5), (2, 3, 3, 8)),
    "ResponseNorm": (lambda: layers.ResponseNorm(alpha=0.5), (2, 5, 4, 3)),
    "ReLU": (layers.ReLU, (3, 9)),
    "Tanh": (layers.Tanh, (3, 9)),
    "Sigmoid": (layers.Sigmoid, (3, 9)),
    "Dropout": (layers.Dropout, (3, 9)),
    "Linear": (lambda: layers.Linear(6, 4, std=0.3, bias=1, rng=rng()), (3, 6)),
    "Flatten": (layers.Flatten, (2, 3, 4, 2)),
    "Parallel": (
        lambda: layers.Parallel({"a": convolution(2, 3, 3), "b": convolution(2, 3, 3)}),
        (2, 5, 5, 4),
    ),
    "Network": (
        lambda: layers.Network({"conv1": convolution(3, 4, 3), "pool1": layers.MaxPool(2, 1)}),
        (2, 5, 6, 3),
    ),
    "Stages": (
        lambda: layers.Stages({"one": layers.Network({"conv1": convolution(3, 4, 3)})}),
        (2, 5, 6, 3),
    ),
    "Sliced": (lambda: layers.Sliced(convolution(3, 4, 3), 2, threads=2), (5, 5, 6, 3)),
    "InParts": (lambda: layers.InParts(convolution(3, 4, 3), 2 * 4 * 6 * 5 * 36), (5, 5, 6, 3)),
    "mini": (lambda: mini(rng()), (2, 32, 32, 3)),
}


def results(layer, host, seed, on):
    """Everything that one forward and one backward return, on the host."""
    layer.params = {name: on.put(array) for name, array in layer.params.items()}
    y, cache = layer.forward(on.put(host), None if seed is None else rng(seed))
    dy = rng(2).standard_normal(y.shape, dtype=np.float32)
    dx, grads = layer.backward(on.put(dy), cache)
    arrays = {"y": y, **grads, "called": layer(on.put(host))}
    if dx is not None:
        arrays["dx"] = dx
    return {name: on.get(array) for name, array in arrays.items()}


def pictures(shape):
    return rng(1).standard_normal(shape, dtype=np.float32)


@on_each_accelerator
@pytest.mark.parametrize("seed", [None, 4], ids=["evaluation", "training"])
@pytest.mark.parametrize("case", CASES)
def test_layers_run_on_it(case, seed, on):
    make, shape = CASES[case]
    on_host = results(make(), pictures(shape), seed, device("cpu"))
    same(results(make(), pictures(shape), seed, on), on_host, on)


def test_every_kind_of_layer_is_among_the_cases():
    kinds = {name for name in layers.__all__ if name[0].isupper()} - {"Layer"}
    assert kinds <= set(CASES)


@pytest.mark.parametrize("case", ["Conv2D", "LocallyConnected2D", "Linear"])
def test_parameters_left_on_the_host_are_named_as_the_reason(case):
    make, shape = CASES[case]
    with pytest.raises(TypeError, match="expected arrays of one device, got arrays of numpy and"):
        make().forward(strict.asarray(pictures(shape)))


def losses(on):
    scores, labels = on.put(pictures((5, 7))), on.put(rng(3).integers(7, size=5))
    loss, dscores = softmax_cross_entropy(scores, labels)
    arrays = {"loss": loss, "dscores": dscores, "softmax": softmax(scores)}
    return {name: on.get(array) for name, array in arrays.items()}


@on_each_accelerator
def test_the_loss_runs_on_it(on):
    same(losses(on), losses(device("cpu")), on)


def trained(on, steps=3):
    """The weights, velocity and losses of a few steps of training."""
    net = mini(rng())
    net.params = {name: on.put(array) for name, array in net.params.items()}
    sgd = SGD(rates={"*.bias": 2, "conv1.weight": 0}, decays={"*.bias": 0})
    images = 255 * pictures((4, 32, 32, 3))
    labels = on.put(np.array([3, 1, 4, 1]))
    losses = {}
    for step in range(steps):
        scores, cache = net.forward(on.put(images), rng(step))
        loss, dscores = softmax_cross_entropy(scores, labels)
        _, grads = net.backward(dscores, cache)
        net.params = sgd.step(net.params, grads, 0.01 / (1 + step))
        losses[f"loss {step}"] = on.get(loss)
    velocity = {f"velocity of {name}": on.get(array) for name, array in sgd.velocity.items()}
    return losses | velocity | {name: on.get(array) for name, array in net.params.items()}


@on_each_accelerator
def test_training_runs_on_it(on):
    on_host = trained(device("cpu"))
    same(trained(on), on_host, on)
    start = mini(rng()).params
    moved = {name for name, array in start.items() if not np.array_equal(on_host[name], array)}
    assert moved == start.keys() - {"conv1.weight"}
