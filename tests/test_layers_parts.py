"""A convolution in parts is the convolution, in the memory that it was given."""

import tracemalloc

import numpy as np
import pytest
import tiny

from minialexnet import check, networks, strict
from minialexnet.chance import generator
from minialexnet.engine import for_gpu
from minialexnet.layers import Conv2D, InParts, LocallyConnected2D
from minialexnet.layers.parts import unrolled
from minialexnet.loss import softmax_cross_entropy
from minialexnet.optim import SGD

MB = 10**6


def rng():
    return np.random.default_rng(0)


def conv(**settings):
    return Conv2D(3, 5, 3, std=0.1, rng=rng(), **settings)


LAYERS = {
    "stride 1": lambda: conv(pad=1),
    "stride 2": lambda: conv(stride=2),
    "pixels": lambda: conv(input_grad=False),
    "local": lambda: LocallyConnected2D(8, 7, 3, 4, 3, rng=rng()),
}


@pytest.mark.parametrize("images", [1, 2, 3, 7, 8])
@pytest.mark.parametrize("name", LAYERS)
def test_parts_give_what_the_whole_gives_but_for_rounding(name, images):
    layer, x = LAYERS[name](), rng().normal(size=(7, 8, 7, 3)).astype(np.float32)
    parts = InParts(layer, images * 4 * unrolled(layer, x.shape[1:]))
    y, cache = layer.forward(x)
    dy = rng().normal(size=y.shape).astype(np.float32)
    dx, grads = layer.backward(dy, cache)
    again, cache = parts.forward(x)
    assert cache[0] == images
    same = np.testing.assert_array_equal if images >= 7 else close
    same(again, y)
    again, others = parts.backward(dy, cache)
    assert list(others) == list(grads)
    for key, grad in grads.items():
        same(others[key], grad)
    if layer.input_grad:
        same(again, dx)
    else:
        assert again is None


def close(one, other):
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * abs(other).max())


@pytest.mark.parametrize("name", LAYERS)
def test_it_is_a_layer(name):
    parts = InParts(LAYERS[name](), 1)
    if parts.input_grad:
        check.layer(parts, rng().normal(size=(3, 8, 7, 3)))
    assert parts.params is parts.layer.params


@pytest.mark.parametrize(("name", "count"), [("stride 1", 8 * 7 * 9 * 5), ("stride 2", 3 * 3 * 27)])
def test_what_is_unrolled_is_counted(name, count):
    assert unrolled(LAYERS[name](), (8, 7, 3)) == count


def peak(work) -> int:
    """The most memory that NumPy's arrays took at a time, beyond those that were there."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_limit_holds_forward_and_backward():
    layer = Conv2D(16, 64, 5, pad=2, rng=rng())
    x = np.ones((32, 20, 20, 16), np.float32)
    each = 4 * unrolled(layer, x.shape[1:])
    assert each == 4 * 20 * 20 * 25 * 64

    def step(one):
        y, cache = one.forward(x)
        one.backward(y, cache)

    whole, cut = peak(lambda: step(layer)), peak(lambda: step(InParts(layer, 4 * each)))
    maps = 4 * 32 * 20 * 20 * (16 + 64)
    assert whole > 32 * each
    assert 4 * each < cut < 4 * each + 4 * maps < whole / 3


def test_a_network_for_a_gpu_has_the_same_layers_and_names():
    net = tiny.network()
    running = for_gpu(net)
    assert list(running.params) == list(net.params)
    assert all(running.params[name] is array for name, array in net.params.items())
    assert isinstance(running.layers["conv1"], InParts)
    assert running.layers["relu1"] is net.layers["relu1"]


def test_towers_are_limited_one_by_one():
    net = networks.alexnet(rng(), 10)
    running = for_gpu(net, 7)
    assert list(running.params) == list(net.params)
    two = running.layers["conv2"]
    assert [(type(one), one.limit) for one in two.layers.values()] == [(InParts, 7 * MB)] * 2


# ---------------------------------------------------------------- the paper's network


def training_peaks(batch: int, workspace: int) -> tuple[float, float]:
    """MB that arrays take at most in the second step, before its update and in it."""
    there = strict.device()
    net = networks.alexnet(generator("weights", 0), 1000)
    tracemalloc.start()
    try:
        net.params = {name: there.put(array) for name, array in net.params.items()}
        running, sgd = for_gpu(net, workspace), SGD()
        x = there.put(rng().normal(size=(batch, 227, 227, 3)).astype(np.float32))
        labels = there.put(np.arange(batch))
        for step in range(2):
            tracemalloc.reset_peak()
            scores, cache = running.forward(x, np.random.default_rng(step))
            _, dscores = softmax_cross_entropy(scores, labels)
            _, grads = running.backward(dscores, cache)
            before = tracemalloc.get_traced_memory()[1] / MB
            tracemalloc.reset_peak()
            running.params = sgd.step(running.params, grads, 1e-6)
        return before, tracemalloc.get_traced_memory()[1] / MB
    finally:
        tracemalloc.stop()


@pytest.mark.long
def test_a_batch_of_128_fits_a_card_of_8_gb():
    """Memory grows by the same amount with each image, so small batches tell."""
    (small, update), (large, _) = (training_peaks(batch, 2000) for batch in (3, 7))
    each = (large - small) / 4
    whole = max(small + each * (128 - 3), update)
    print(f"{whole:,.0f} MB for 128 images, {each:.1f} MB for each; update {update:,.0f} MB")
    assert 2000 < whole < 3500
    # conv2 alone unrolls 9.3 MB of each image backward.
    cut, _ = training_peaks(7, 20)
    assert 7 * 9.3 - 20 - 20 < large - cut < 7 * 9.3
