"""PyTorch as a second opinion: the same functions, written by other people.

Only what both define alike is compared. PyTorch divides LRN's alpha by the size, scales dropout in
training, and has its pictures as (N, C, H, W).
"""

import numpy as np
import pytest

from minialexnet import networks
from minialexnet.bench import Work
from minialexnet.bench.contenders import torch_channels_first, torch_channels_last
from minialexnet.errors import InputError
from minialexnet.layers import (
    AveragePool,
    Conv2D,
    Dropout,
    Linear,
    LocalResponseNorm,
    MaxPool,
    Network,
)
from minialexnet.loss import softmax_cross_entropy
from minialexnet.networks import (
    alexnet,
    alexnet_as_run,
    alexnet_half,
    alexnet_pool2,
    cifar_11pct,
    cifar_18pct,
    cifar_80sec,
)

torch = pytest.importorskip("torch", reason="PyTorch is not installed (make test-all does)")
F = torch.nn.functional


def tensor(x):
    """An array as a tensor that collects gradients, pictures with their channels first."""
    x = np.moveaxis(x, -1, 1) if x.ndim == 4 else x
    return torch.tensor(np.ascontiguousarray(x), requires_grad=True)


def array(t):
    x = t.detach().numpy()
    return np.moveaxis(x, 1, -1) if x.ndim == 4 else x


def filters(weight):
    """(K, K, C, O) as PyTorch's (O, C, K, K)."""
    return torch.tensor(np.ascontiguousarray(weight.transpose(3, 2, 0, 1)), requires_grad=True)


def assert_close(ours, theirs, tolerance=1e-10):
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * abs(theirs).max())


def compare(layer, function, shape):
    """The layer's y and dx against a function of tensors and its autograd, in float64."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape)
    y, cache = layer.forward(x)
    t = tensor(x)
    out = function(t)
    assert_close(y, array(out))
    dy = rng.normal(size=y.shape)
    out.backward(tensor(dy).detach())
    dx, grads = layer.backward(dy, cache)
    assert_close(dx, array(t.grad))
    return grads


@pytest.mark.parametrize(
    ("channels", "kernel", "stride", "pad", "size"),
    [(3, 11, 4, 0, 35), (4, 5, 1, 2, 9), (6, 3, 1, 1, 7), (2, 3, 2, 0, 8), (2, 2, 1, 3, 5)],
)
def test_convolution(channels, kernel, stride, pad, size):
    rng = np.random.default_rng(1)
    conv = Conv2D(channels, 5, kernel, stride, pad, std=1, rng=rng)
    conv.params = {"weight": rng.normal(size=(kernel, kernel, channels, 5)), "bias": np.arange(5.0)}
    weight = filters(conv.params["weight"])
    bias = torch.tensor(conv.params["bias"], requires_grad=True)
    grads = compare(
        conv,
        lambda t: F.conv2d(t, weight, bias, stride=stride, padding=pad),
        (2, size, size + 2, channels),
    )
    assert_close(grads["weight"], weight.grad.numpy().transpose(2, 3, 1, 0))
    assert_close(grads["bias"], bias.grad.numpy())


@pytest.mark.parametrize("ceil", [False, True])
def test_max_pooling(ceil):
    compare(MaxPool(3, 2, ceil), lambda t: F.max_pool2d(t, 3, 2, ceil_mode=ceil), (2, 8, 9, 3))


def test_average_pooling():
    compare(AveragePool(3, 2), lambda t: F.avg_pool2d(t, 3, 2), (2, 8, 9, 3))


@pytest.mark.parametrize("size", [3, 5])
def test_response_normalisation(size):
    compare(
        LocalResponseNorm(size, k=2.0, alpha=1.5 / size, beta=0.75),
        lambda t: F.local_response_norm(t, size, alpha=1.5, beta=0.75, k=2.0),
        (2, 3, 4, 7),
    )


def test_loss():
    rng = np.random.default_rng(0)
    scores, labels = 5 * rng.normal(size=(7, 9)), rng.integers(0, 9, 7)
    loss, dscores = softmax_cross_entropy(scores, labels)
    t = tensor(scores)
    theirs = F.cross_entropy(t, torch.tensor(labels))
    theirs.backward()
    assert_close(loss, theirs.detach().numpy())
    assert_close(dscores, t.grad.numpy())


def conv(net, name, t, **settings):
    layer = net.layers[name]
    towers = layer.layers.values() if hasattr(layer, "layers") else [layer]
    weights = [filters(tower.params["weight"]) for tower in towers]
    biases = [torch.tensor(tower.params["bias"]) for tower in towers]
    return F.conv2d(t, torch.cat(weights), torch.cat(biases), groups=len(weights), **settings)


def linear(net, name, t):
    params = net.layers[name].params
    return F.linear(t, torch.tensor(params["weight"]).T, torch.tensor(params["bias"]))


def flat(t):
    """The order of our Flatten: channels change fastest."""
    return t.permute(0, 2, 3, 1).flatten(1)


def torch_alexnet(net, t):
    def normed(t):
        return F.local_response_norm(t, 5, alpha=5e-4, beta=0.75, k=2.0)

    t = F.max_pool2d(normed(conv(net, "conv1", t, stride=4).relu()), 3, 2)
    t = F.max_pool2d(normed(conv(net, "conv2", t, padding=2).relu()), 3, 2)
    t = conv(net, "conv3", t, padding=1).relu()
    t = conv(net, "conv4", t, padding=1).relu()
    t = F.max_pool2d(conv(net, "conv5", t, padding=1).relu(), 3, 2)
    t = 0.5 * linear(net, "fc6", flat(t)).relu()
    t = 0.5 * linear(net, "fc7", t).relu()
    return linear(net, "fc8", t)


def same_map(t, size, alpha):
    """Normalised by its neighbours in the map; averaging counts the zeros around the picture."""
    squares = size**2 * F.avg_pool2d(t * t, size, 1, size // 2)
    return t / (1 + alpha * squares) ** 0.75


def torch_as_run(net, t, towers=2, pool=3, pads=(2, 1)):
    def normed(t):
        shares = t.chunk(towers, dim=1)
        normed = [F.local_response_norm(x, 5, alpha=1e-4, beta=0.75, k=2.0) for x in shares]
        return torch.cat(normed, dim=1)

    def pooled(t):
        return F.max_pool2d(t, pool, 2, ceil_mode=True)

    t = pooled(normed(conv(net, "conv1", F.pad(t, (0, 3, 0, 3)), stride=4))).relu()
    t = pooled(same_map(normed(conv(net, "conv2", t, padding=pads[0]).relu()), 5, 0.001 / 25))
    t = conv(net, "conv3", t, padding=1).relu()
    t = conv(net, "conv4", t, padding=1).relu()
    t = pooled(conv(net, "conv5", t, padding=pads[1])).relu()
    t = 0.5 * linear(net, "fc6", flat(t)).relu()
    t = 0.5 * linear(net, "fc7", t).relu()
    return linear(net, "fc8", t)


def torch_half(net, t):
    return torch_as_run(net, t, towers=1)


def torch_pool2(net, t):
    return torch_as_run(net, t, pool=2, pads=(1, 0))


def average(t):
    # PyTorch's ceil_mode divides by the covered area too when told not to count padding.
    return F.avg_pool2d(t, 3, 2, ceil_mode=True, count_include_pad=False)


def torch_cifar_18pct(net, t):
    t = F.max_pool2d(conv(net, "conv1", t, padding=2), 3, 2, ceil_mode=True).relu()
    t = average(conv(net, "conv2", same_map(t, 3, 5e-5 / 9), padding=2).relu())
    t = average(conv(net, "conv3", same_map(t, 3, 5e-5 / 9), padding=2).relu())
    return linear(net, "fc4", flat(t))


def torch_cifar_11pct(net, t):
    def normed(t):
        return F.local_response_norm(t, 9, alpha=0.001, beta=0.75, k=1.0)

    def local(name, t):
        """Filters of its own at every place; `unfold` has channels first, then the window."""
        params = {key: torch.tensor(array) for key, array in net.layers[name].params.items()}
        rows, columns, kernel, *_, filters = params["weight"].shape
        weight = params["weight"].permute(5, 4, 2, 3, 0, 1).reshape(filters, -1, rows * columns)
        seen = F.unfold(t, kernel, padding=1)
        y = torch.einsum("ndp,odp->nop", seen, weight).unflatten(2, (rows, columns))
        return y + params["bias"].permute(2, 0, 1)

    t = normed(F.max_pool2d(conv(net, "conv1", t, padding=2).relu(), 3, 2, ceil_mode=True))
    t = F.max_pool2d(normed(conv(net, "conv2", t, padding=2).relu()), 3, 2, ceil_mode=True)
    return linear(net, "fc5", flat(local("local4", local("local3", t).relu()).relu()))


def torch_cifar_80sec(net, t):
    t = F.max_pool2d(conv(net, "conv1", t, padding=2), 3, 2, ceil_mode=True).relu()
    t = average(conv(net, "conv2", t, padding=2).relu())
    t = average(conv(net, "conv3", t, padding=2).relu())
    return linear(net, "fc5", linear(net, "fc4", flat(t)).relu())


@pytest.mark.parametrize(
    ("network", "theirs"),
    [
        (alexnet, torch_alexnet),
        (alexnet_as_run, torch_as_run),
        (alexnet_half, torch_half),
        (alexnet_pool2, torch_pool2),
        (cifar_80sec, torch_cifar_80sec),
        (cifar_18pct, torch_cifar_18pct),
        (cifar_11pct, torch_cifar_11pct),
    ],
)
def test_whole_networks(network, theirs):
    size = networks.SIZES[network.__name__]
    net: Network = network(np.random.default_rng(0), classes=10)
    net.layers["conv1"].input_grad = True
    x = np.random.default_rng(1).normal(0, 60, size=(2, size, size, 3)).astype(np.float32)
    y, cache = net.forward(x)
    t = tensor(x)
    out = theirs(net, t)
    assert_close(y, array(out), 1e-4)
    dy = np.random.default_rng(2).normal(size=y.shape).astype(np.float32)
    out.backward(torch.tensor(dy))
    assert_close(net.backward(dy, cache)[0], array(t.grad), 1e-4)


# What PyTorch has no layer for, in the networks that it cannot have.
MISSING = {
    "alexnet_as_run": "norm1: PyTorch has no layer like Parallel",
    "alexnet_half": "cnorm2: PyTorch has no layer like ResponseNorm",
    "alexnet_pool2": "norm1: PyTorch has no layer like Parallel",
    "cifar_11pct": "local3: PyTorch has no layer like LocallyConnected2D",
    "cifar_13pct": "local3: PyTorch has no layer like LocallyConnected2D",
    "cifar_18pct": "norm1: PyTorch has no layer like ResponseNorm",
}


@pytest.mark.parametrize("name", [name for name in networks.__all__ if name not in MISSING])
def test_the_rival_of_the_bench_is_the_same_network(name):
    from minialexnet.bench.rival import torch_network

    size = networks.SIZES[name]
    net = getattr(networks, name)(np.random.default_rng(0))
    x = np.random.default_rng(1).normal(0, 60, (2, size, size, 3)).astype(np.float32)
    rival = torch_network(net, (size, size, 3)).eval()
    with torch.no_grad():
        theirs = rival(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).numpy()
    assert_close(net(x), theirs, 1e-5)


def test_the_rival_trains_like_ours():
    """All gradients of a step, in PyTorch's own order of filters."""
    from minialexnet.bench.rival import torch_network

    net = networks.cifar_80sec(np.random.default_rng(0))
    x = np.random.default_rng(1).normal(0, 60, (4, 32, 32, 3)).astype(np.float32)
    y, cache = net.forward(x)
    dy = np.random.default_rng(2).normal(size=y.shape).astype(np.float32)
    _, grads = net.backward(dy, cache)
    rival = torch_network(net, (32, 32, 3))
    rival(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).backward(torch.from_numpy(dy))
    theirs = [parameter.grad.numpy() for parameter in rival.parameters()]
    for (key, grad), other in zip(grads.items(), theirs, strict=True):
        if grad.ndim == 4:
            other = other.transpose(2, 3, 1, 0)
        elif key == "fc4.weight":
            other = other.T.reshape(64, 4, 4, 64).transpose(1, 2, 0, 3).reshape(1024, 64)
        elif grad.ndim == 2:
            other = other.T
        assert_close(grad, other, 1e-4)


@pytest.mark.parametrize("name", MISSING)
def test_the_rival_says_what_pytorch_does_not_have(name):
    from minialexnet.bench.rival import torch_network

    size = networks.SIZES[name]
    net = getattr(networks, name)(np.random.default_rng(0), classes=10)
    with pytest.raises(InputError) as error:
        torch_network(net, (size, size, 3))
    assert str(error.value) == MISSING[name]


@pytest.mark.parametrize("inverted", [False, True])
def test_the_rival_drops_and_scales_as_we_do(inverted):
    """Ones through dropout and a layer that changes nothing: in training 0 or what is kept."""
    from minialexnet.bench.rival import torch_network

    fc = Linear(200, 200, rng=np.random.default_rng(0))
    fc.params = fc.params | {"weight": np.eye(200, dtype=np.float32)}
    net = Network({"drop": Dropout(0.6, inverted=inverted), "fc": fc})
    x = np.ones((4, 200), np.float32)
    rival = torch_network(net, (200,))
    torch.manual_seed(0)
    with torch.no_grad():
        training = rival.train()(torch.from_numpy(x)).numpy()
        evaluation = rival.eval()(torch.from_numpy(x)).numpy()
    ours, _ = net.forward(x, np.random.default_rng(0))
    np.testing.assert_allclose(np.unique(training), np.unique(ours), rtol=1e-6)
    assert np.unique(ours).max() == pytest.approx(2.5 if inverted else 1)
    assert_close(net(x), evaluation, 1e-6)


@pytest.mark.parametrize("task", ["train", "predict"])
@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("contender", [torch_channels_first, torch_channels_last])
def test_a_step_of_the_rival(contender, precision, task):
    threads = torch.get_num_threads()
    try:
        work = Work("mini", batch=4, task=task, threads=1, precision=precision)
        seconds = contender(work)().seconds()
    finally:
        torch.set_num_threads(threads)
    assert list(seconds) == ["data", "forward", "backward", "update"][: 4 if task == "train" else 2]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this PyTorch finds a GPU")
def test_a_rival_that_finds_no_gpu_says_so():
    with pytest.raises(InputError, match=r"--against torch: this PyTorch \(.*\) finds no GPU"):
        torch_channels_last(Work("mini", batch=4, device="cuda"))
