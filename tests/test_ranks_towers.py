"""Two towers, in two threads of one process: the same network, and the bytes of the table."""

import queue
import threading

import numpy as np
import pytest

from minialexnet import networks
from minialexnet.chance import generator
from minialexnet.errors import InputError
from minialexnet.layers import Layer, LocalResponseNorm, Network, Sigmoid
from minialexnet.loss import softmax_cross_entropy
from minialexnet.ranks.towers import Border, Halves, Tower
from minialexnet.ranks.traffic import exchanges, gradient_bytes


class Pair:
    """What `Mpi` is to two ranks, for two threads."""

    def __init__(self, tower, mine, theirs):
        self.rank, self.mine, self.theirs, self.sent = tower, mine, theirs, {}

    def swapped(self, array, like, other, what):
        assert other == 1 - self.rank
        self.sent[what] = self.sent.get(what, 0) + array.nbytes
        self.theirs.put((what, array))
        came_for, came = self.mine.get(timeout=60)
        assert (came_for, came.shape) == (what, tuple(like))
        return came

    def each(self, value):
        self.theirs.put(value)
        other = self.mine.get(timeout=60)
        return [value, other] if self.rank == 0 else [other, value]


def on_both(work):
    """What work(pair) returns on each of two towers."""
    a, b = queue.Queue(), queue.Queue()
    results = [None, None]

    def run(tower):
        pair = Pair(tower, *((a, b) if tower == 0 else (b, a)))
        try:
            results[tower] = work(pair)
        except BaseException as error:
            results[tower] = error

    threads = [threading.Thread(target=run, args=(tower,)) for tower in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def float64(net):
    rng = np.random.default_rng(0)
    # Biases too are drawn, so that each has a gradient and a place of its own.
    net.params = {name: w + 0.01 * rng.normal(size=w.shape) for name, w in net.params.items()}
    return net


def step(net, x, labels):
    """Scores, loss and gradients of a training step."""
    scores, cache = net.forward(x, np.random.default_rng(7))
    loss, dscores = softmax_cross_entropy(scores, labels)
    return scores, loss, net.backward(dscores, cache)[1]


SMALL = {
    "mini": 3,
    "cifar_80sec": 10,
    "cifar_18pct": 10,
    "cifar_11pct": 7,
}


@pytest.mark.parametrize(("name", "classes"), SMALL.items())
def test_the_gradients_of_both_towers_are_those_of_the_network(name, classes):
    side, rng = networks.SIZES[name], np.random.default_rng(1)
    x, labels = rng.normal(size=(5, side, side, 3)), rng.integers(0, classes, 5)

    def made():
        return float64(getattr(networks, name)(generator("weights", 0), classes))

    scores, loss, grads = step(made(), x, labels)

    def work(pair):
        tower = Tower(made(), pair, pair.rank)
        found = step(tower, x, labels)
        predicted = tower(x)
        return *found[:2], tower.whole(found[2]), tower.whole(tower.params), predicted

    for theirs in on_both(work):
        assert np.abs(theirs[0] - scores).max() <= 1e-12 * np.abs(scores).max()
        assert theirs[1] == pytest.approx(loss, rel=1e-12)
        assert list(theirs[2]) == list(grads)
        for key, grad in grads.items():
            assert np.abs(theirs[2][key] - grad).max() <= 1e-11 * np.abs(grad).max(), key
        assert all((theirs[3][k] == w).all() for k, w in made().params.items())
        assert np.abs(theirs[4] - made()(x)).max() <= 1e-12 * np.abs(scores).max()


@pytest.mark.long
@pytest.mark.parametrize("name", ["alexnet", "alexnet_as_run"])
def test_the_paper_s_network_on_two_towers_is_the_network(name):
    side, rng = networks.SIZES[name], np.random.default_rng(1)
    x = rng.integers(-128, 128, (1, side, side, 3)).astype(np.float64)
    labels = np.array([999])

    def made():
        net = getattr(networks, name)(generator("weights", 0), 1000)
        net.params = {name: weight.astype(np.float64) for name, weight in net.params.items()}
        return net

    scores, loss, grads = step(made(), x, labels)

    def work(pair):
        found = step(tower := Tower(made(), pair, pair.rank), x, labels)
        return found[0], found[1], tower.whole(found[2])

    for theirs in on_both(work):
        assert np.abs(theirs[0] - scores).max() <= 1e-12 * np.abs(scores).max()
        assert theirs[1] == pytest.approx(loss, rel=1e-12)
        for key, grad in grads.items():
            assert np.abs(theirs[2][key] - grad).max() <= 1e-11 * np.abs(grad).max(), key


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("maps", [(8, 8), (9, 4), (3, 2)])
def test_a_norm_over_the_border_is_the_norm_over_all_maps(size, maps):
    norm = LocalResponseNorm(size, k=1, alpha=0.7)
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 2, 3, 4, sum(maps)))
    y, cache = norm.forward(x)
    dx, _ = norm.backward(dy, cache)

    def work(pair):
        halves = Halves(pair, pair.rank, maps, "norm")
        border = Border(LocalResponseNorm(size, k=1, alpha=0.7), halves)
        mine, cache = border.forward(x[..., halves.mine])
        return mine, border.backward(dy[..., halves.mine], cache)[0]

    a, b = on_both(work)
    assert np.allclose(np.concatenate([a[0], b[0]], axis=-1), y, rtol=1e-13)
    assert np.allclose(np.concatenate([a[1], b[1]], axis=-1), dx, rtol=1e-12, atol=1e-14)


def test_the_bytes_that_cross_are_those_of_the_table():
    side, images = networks.SIZES["mini"], 6
    x = np.random.default_rng(0).normal(size=(images, side, side, 3)).astype(np.float32)
    labels = np.arange(images) % 10

    def work(pair):
        step(Tower(networks.mini(generator("weights", 0)), pair, pair.rank), x, labels)
        return pair.sent

    planned = exchanges(networks.mini(generator("weights", 0)), (side, side, 3))
    expected = {f"{row.layer} forward": images * row.forward for row in planned}
    expected |= {f"{row.layer} backward": images * row.backward for row in planned if row.backward}
    for sent in on_both(work):
        assert sent == expected


def test_the_exchanges_of_the_paper_are_at_conv3_and_the_fully_connected_layers():
    rows = exchanges(networks.alexnet(generator("weights", 0)), (227, 227, 3))
    assert [(row.layer, row.forward, row.backward) for row in rows] == [
        ("norm1", 4 * 55 * 55 * 4, 4 * 55 * 55 * 2),
        ("norm2", 4 * 27 * 27 * 4, 4 * 27 * 27 * 2),
        ("conv3", 4 * 13 * 13 * 128, 4 * 13 * 13 * 128),
        ("flatten", 4 * 6 * 6 * 128, 4 * 6 * 6 * 128),
        ("fc7", 4 * 2048, 4 * 2048),
        ("fc8", 4 * 2048, 4 * 2048),
        ("softmax", 4 * 500, 0),
    ]


def test_as_run_no_norm_crosses_the_border():
    rows = exchanges(networks.alexnet_as_run(generator("weights", 0)), (224, 224, 3))
    assert [row.layer for row in rows] == ["conv3", "flatten", "fc7", "fc8", "softmax"]


def test_the_gradients_of_alexnet_are_244_mb():
    assert gradient_bytes(networks.alexnet(generator("weights", 0))) == 4 * 60_965_224


def test_conv1_makes_half_of_its_maps_on_each_tower_and_conv2_sees_its_own():
    towers = [Tower(networks.alexnet(generator("weights", 0)), None, tower) for tower in (0, 1)]
    for tower, own in zip(towers, "ab", strict=True):
        shapes = {name: weight.shape for name, weight in tower.params.items()}
        assert shapes["conv1.weight"] == (11, 11, 3, 48)
        assert shapes[f"conv2.{own}.weight"] == (5, 5, 48, 128)
        assert shapes["conv3.weight"] == (3, 3, 256, 192)
        assert shapes["fc6.weight"] == (9216, 2048)
        assert shapes["fc8.weight"] == (4096, 500)
        assert sum(".a." in name for name in shapes) == (6 if own == "a" else 0)


class Strange(Layer):
    pass


@pytest.mark.parametrize("layer", [Strange(), Network({"inner": Sigmoid()})])
def test_a_layer_that_cannot_be_split_is_named(layer):
    net = networks.mini(generator("weights", 0))
    net.layers["relu2"] = layer
    with pytest.raises(InputError, match='how to split the layer "relu2"'):
        Tower(net, None, 0)
