"""Weights in the order of other programs, and back; PyTorch computes the same with them."""

import os
from pathlib import Path

import numpy as np
import pytest
from alive import alive, difference, network, pictures

from minialexnet import networks
from minialexnet.data.crops import center
from minialexnet.data.picture import pixels, square
from minialexnet.errors import InputError
from minialexnet.layers import (
    AveragePool,
    Conv2D,
    Dropout,
    Flatten,
    Linear,
    MaxPool,
    Network,
    Parallel,
    ReLU,
    Tanh,
)
from minialexnet.loss import softmax_cross_entropy
from minialexnet.weights.layout import INPUTS, NAMES, from_caffe, from_torch, to_torch

SHAPE = 9, 7, 3
CONVOLUTIONAL = [name for name in networks.__all__ if name not in ("cifar_11pct", "cifar_13pct")]


def small(drop=None, between=()) -> Network:
    """Towers, maps that are not square, and other numbers of channels everywhere."""
    rng = np.random.default_rng(0)
    return alive(
        Network(
            {
                "conv1": Conv2D(3, 4, 3, pad=1, rng=rng),
                "relu1": ReLU(),
                "conv2": Parallel(
                    {"a": Conv2D(2, 3, 3, rng=rng), "b": Conv2D(2, 3, 3, rng=rng)},
                ),
                "pool2": MaxPool(3, 2),
                "flatten": Flatten(),
                **({"drop2": drop} if drop else {}),
                **dict(between),
                "fc3": Linear(3 * 2 * 6, 5, rng=rng),
                "relu3": ReLU(),
                "fc4": Linear(5, 2, rng=rng),
            }
        )
    )


def same(first, second) -> bool:
    return list(first) == list(second) and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(first.values(), second.values(), strict=True)
    )


# ------------------------------------------------------------------------------ by hand, no PyTorch


def test_every_number_is_where_pytorch_has_it():
    ours = small().params
    theirs = to_torch(small(), SHAPE)
    assert {name: array.shape for name, array in theirs.items()} == {
        "conv1.weight": (4, 3, 3, 3),
        "conv1.bias": (4,),
        "conv2.weight": (6, 2, 3, 3),
        "conv2.bias": (6,),
        "fc3.weight": (5, 36),
        "fc3.bias": (5,),
        "fc4.weight": (2, 5),
        "fc4.bias": (2,),
    }
    for o, c, k, j in np.ndindex(6, 2, 3, 3):
        tower = ours["conv2.a.weight"] if o < 3 else ours["conv2.b.weight"]
        assert theirs["conv2.weight"][o, c, k, j] == tower[k, j, c, o % 3]
    for m, c, h, w in np.ndindex(5, 6, 3, 2):
        row = (h * 2 + w) * 6 + c
        assert theirs["fc3.weight"][m, (c * 3 + h) * 2 + w] == ours["fc3.weight"][row, m]
    assert (theirs["conv1.weight"] == ours["conv1.weight"].transpose(3, 2, 0, 1)).all()
    assert (theirs["fc4.weight"] == ours["fc4.weight"].T).all()
    assert theirs["conv2.bias"].tolist() == [*ours["conv2.a.bias"], *ours["conv2.b.bias"]]


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_there_and_back_every_network_is_the_same_to_the_bit(name):
    net = network(name)
    shape = networks.SIZES[name], networks.SIZES[name], 3
    names = NAMES.get(name, {})
    assert same(from_torch(net, to_torch(net, shape, names), shape, names), net.params)


def test_with_any_rate_of_the_papers_dropout_it_is_the_same_to_rounding():
    net = small(Dropout(0.3))
    back = from_torch(net, to_torch(net, SHAPE), SHAPE)
    for name, array in net.params.items():
        np.testing.assert_allclose(back[name], array, rtol=3e-7)


def test_the_weights_behind_the_papers_dropout_are_scaled():
    plain, dropped = to_torch(small(), SHAPE), to_torch(small(Dropout(0.75)), SHAPE)
    assert (dropped["fc3.weight"] == 0.25 * plain["fc3.weight"]).all()
    others = plain.keys() - {"fc3.weight"}
    assert all((dropped[name] == plain[name]).all() for name in others)


def test_inverted_dropout_changes_no_weight():
    inverted = small(Dropout(0.3, inverted=True))
    assert same(to_torch(inverted, SHAPE), to_torch(small(), SHAPE))
    assert same(from_torch(inverted, to_torch(inverted, SHAPE), SHAPE), inverted.params)


def test_the_scale_passes_layers_that_let_a_factor_through():
    before = Network(
        {
            "drop0": Dropout(0.5),
            "relu0": ReLU(),
            "drop1": Dropout(0.5),
            "pool0": AveragePool(3, 2),
            "drop2": Dropout(0.5, inverted=True),
            **small().layers,
        }
    )
    shape = 19, 15, 3
    expected = to_torch(small(), SHAPE)
    expected["conv1.weight"] = expected["conv1.weight"] / 4
    assert same(to_torch(before, shape), expected)


@pytest.mark.parametrize(
    ("layers", "behind"),
    [
        ({"fc1": None, "drop1": Dropout(0.5), "tanh1": Tanh(), "fc2": None}, "Tanh tanh1"),
        ({"fc1": None, "drop1": Dropout(0.5)}, "the end of the network"),
    ],
)
def test_dropout_that_no_weights_can_make_up_for_is_refused(layers, behind):
    rng = np.random.default_rng(0)
    net = Network({name: layer or Linear(3, 3, rng=rng) for name, layer in layers.items()})
    with pytest.raises(InputError, match=f"^drop1: .* got {behind}$"):
        to_torch(net, (3,))
    net.layers["drop1"].inverted = True
    assert next(iter(to_torch(net, (3,)))) == "fc1.weight"


def test_the_network_of_torchvision_goes_by_its_names():
    tensors = to_torch(network("one_tower"), (224, 224, 3), NAMES["one_tower"])
    layers = [f"features.{n}" for n in (0, 3, 6, 8, 10)] + [f"classifier.{n}" for n in (1, 4, 6)]
    assert list(tensors) == [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]


def test_the_results_share_no_memory_with_what_was_given():
    net = small()
    given = to_torch(net, SHAPE)
    caffe = {"conv1.weight": net.params["conv1.weight"], **caffe_like(net)}
    results = [given, from_torch(net, given, SHAPE), from_caffe(net, caffe, SHAPE)]
    sources = [net.params, given, caffe]
    for result, source in zip(results, sources, strict=True):
        for mine in result.values():
            assert mine.flags.c_contiguous and mine.flags.writeable
            assert not any(np.shares_memory(mine, yours) for yours in source.values())


@pytest.mark.parametrize("kind", [np.float16, np.float64, ">f4"])
def test_any_floating_point_numbers_become_float32(kind):
    net = small()
    tensors = {name: array.astype(kind) for name, array in to_torch(net, SHAPE).items()}
    params = from_torch(net, tensors, SHAPE)
    for name, array in net.params.items():
        assert params[name].dtype == np.float32
        np.testing.assert_allclose(params[name], array, atol=2e-3)


def without(tensors):
    del tensors["conv2.bias"]


def another(tensors):
    tensors["conv3.bias"] = np.zeros(3, np.float32)


def other_shape(tensors):
    tensors["fc3.weight"] = tensors["fc3.weight"].T


def not_a_number(tensors):
    tensors["fc3.bias"][[0, 2]] = np.nan


def infinite(tensors):
    tensors["conv1.weight"][0, 0, 0, 0] = -np.inf


def too_large(tensors):
    tensors["conv1.bias"] = np.full(4, 1e300)


def whole_numbers(tensors):
    tensors["fc4.bias"] = np.array([1, 2])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without, r"conv2\.bias: expected \(6,\), got none"),
        (another, r"conv3\.bias: expected no tensor of this name, got \(3,\)"),
        (other_shape, r"fc3\.weight: expected \(5, 36\), got \(36, 5\)"),
        (not_a_number, r"fc3\.bias: expected finite float32 numbers, got 2 that are not"),
        (infinite, r"conv1\.weight: expected finite float32 numbers, got 1 that are not"),
        (too_large, r"conv1\.bias: expected finite float32 numbers, got 4 that are not"),
        (whole_numbers, r"fc4\.bias: expected floating-point numbers, got int64"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_name(spoil, message):
    net = small()
    tensors = to_torch(net, SHAPE)
    spoil(tensors)
    with pytest.raises(InputError, match=f"^{message}$"):
        from_torch(net, tensors, SHAPE)


def test_what_pytorch_does_not_have_is_refused_by_name():
    net = network("cifar_13pct")
    message = r"^local3: PyTorch has no layer like LocallyConnected2D$"
    with pytest.raises(InputError, match=message):
        to_torch(net, (24, 24, 3))
    with pytest.raises(InputError, match=message):
        from_torch(net, net.params, (24, 24, 3))
    rng = np.random.default_rng(0)
    towers = {"a": Conv2D(2, 3, 3, pad=1, rng=rng), "b": Conv2D(2, 3, 1, rng=rng)}
    with pytest.raises(InputError, match=r"^both: PyTorch has no layer like Parallel$"):
        to_torch(Network({"conv": Conv2D(3, 4, 1, rng=rng), "both": Parallel(towers)}), SHAPE)


def caffe_like(net) -> dict:
    """The network's parameters with the towers joined, as caffe-tensorflow has them, but RGB."""
    ours, joined = net.params, {}
    for name in ("conv1", "conv2", "fc3", "fc4"):
        towers = [name] if f"{name}.bias" in ours else [f"{name}.a", f"{name}.b"]
        for part in ("weight", "bias"):
            arrays = [ours[f"{tower}.{part}"] for tower in towers]
            joined[f"{name}.{part}"] = np.concatenate(arrays, axis=-1)
    return joined


@pytest.mark.parametrize("drop", [Dropout(0.5), Dropout(0.5, inverted=True)])
def test_caffes_weights_from_npy(drop):
    net = small(drop)
    ours = net.params
    tensors = caffe_like(net)
    tensors["conv1.weight"] = ours["conv1.weight"][:, :, [2, 1, 0]]
    if not drop.inverted:
        tensors["fc3.weight"] = ours["fc3.weight"] / 2
    assert same(from_caffe(net, tensors, SHAPE), ours)
    tensors["fc3.weight"] = tensors["fc3.weight"].T
    with pytest.raises(InputError, match=r"^fc3\.weight: expected \(36, 5\), got \(5, 36\)$"):
        from_caffe(net, tensors, SHAPE)


def test_pictures_enter_as_torchvision_and_caffe_have_them():
    rgb = pictures(1, 5, 5)[0].astype(float)
    theirs = INPUTS["torchvision"]
    scaled = (rgb / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose((rgb - theirs.mean) * theirs.scale, scaled, atol=1e-12)
    assert (theirs.size, theirs.crop) == (256, 224)
    theirs = INPUTS["caffe"]
    bgr = rgb[:, :, ::-1] - [104.007, 116.669, 122.679]
    np.testing.assert_allclose((rgb - theirs.mean) * theirs.scale, bgr[:, :, ::-1], atol=1e-12)
    assert (theirs.size, theirs.crop) == (256, 227)


# ------------------------------------------------------------------------------------- with PyTorch


def pytorch():
    return pytest.importorskip("torch", reason="PyTorch is not installed (make test-all does)")


@pytest.fixture(scope="module")
def torchvision_alexnet():
    """The network of torchvision/models/alexnet.py, layer by layer, and He's weights."""
    torch = pytorch()
    nn = torch.nn

    class AlexNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(
                *(nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2), nn.ReLU(inplace=True)),
                nn.MaxPool2d(kernel_size=3, stride=2),
                *(nn.Conv2d(64, 192, kernel_size=5, padding=2), nn.ReLU(inplace=True)),
                nn.MaxPool2d(kernel_size=3, stride=2),
                *(nn.Conv2d(192, 384, kernel_size=3, padding=1), nn.ReLU(inplace=True)),
                *(nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True)),
                *(nn.Conv2d(256, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True)),
                nn.MaxPool2d(kernel_size=3, stride=2),
            )
            self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
            self.classifier = nn.Sequential(
                *(nn.Dropout(p=0.5), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(inplace=True)),
                *(nn.Dropout(p=0.5), nn.Linear(4096, 4096), nn.ReLU(inplace=True)),
                nn.Linear(4096, 1000),
            )

        def forward(self, x):
            return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))

    torch.manual_seed(0)
    net = AlexNet()
    for parameter in net.parameters():
        if parameter.ndim == 1:
            nn.init.normal_(parameter, std=0.3)
        else:
            nn.init.kaiming_normal_(parameter)
    return net


def arrays(state) -> dict:
    return {name: tensor.detach().numpy() for name, tensor in state.items()}


def photographs() -> np.ndarray:
    """(N, 256, 256, 3) uint8: 4 of noise, or the first 32 in the folder MINIALEXNET_PICTURES."""
    if "MINIALEXNET_PICTURES" not in os.environ:
        return pictures(4, 256, 256)
    folder = Path(os.environ["MINIALEXNET_PICTURES"])
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpeg", ".jpg"))
    assert paths, f"{folder}: no JPEG files"
    return np.stack([square(pixels(path), 256) for path in paths[:32]])


def as_torchvision_does(images):
    """(N, 3, 224, 224): the centre, as a share of 255, normalised."""
    torch = pytorch()
    x = torch.from_numpy(images)[:, 16:240, 16:240].permute(0, 3, 1, 2) / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[:, None, None]) / std[:, None, None]


def as_we_do(images):
    """(N, 224, 224, 3)"""
    how = INPUTS["torchvision"]
    parts = center(images, how.crop)
    return (parts - np.array(how.mean, np.float32)) * np.array(how.scale, np.float32)


def test_torchvisions_weights_give_torchvisions_scores_here_and_come_back_unchanged(
    torchvision_alexnet,
):
    torch = pytorch()
    theirs = torchvision_alexnet.float().eval()
    state = arrays(theirs.state_dict())
    ours = networks.one_tower(np.random.default_rng(0))
    shape, names = (224, 224, 3), NAMES["one_tower"]
    ours.params = from_torch(ours, state, shape, names)
    images = photographs()
    with torch.no_grad():
        scores = theirs(as_torchvision_does(images)).numpy()
    largest = difference(ours(as_we_do(images)), scores)
    print(f"scores of {len(images)} pictures: {largest:.2g} apart, of the largest")
    assert largest < 1e-4

    back = to_torch(ours, shape, names)
    for name, array in state.items():
        assert (back[name] == array).all(), name
    theirs.load_state_dict({name: torch.from_numpy(back[name]) for name in back}, strict=True)
    with torch.no_grad():
        assert (theirs(as_torchvision_does(images)).numpy() == scores).all()


def test_a_step_of_training_has_the_gradients_that_pytorch_finds(torchvision_alexnet):
    """In evaluation, because the two would not drop the same features; and in float64.

    In float32 the two round differently. Then in one window of a million another pixel is the
    largest, or a feature lies on the other side of 0, and the gradient takes another way: with 32
    photographs that alone makes one part in a thousand.
    """
    torch = pytorch()
    theirs = torchvision_alexnet.double().eval()
    ours = networks.one_tower(np.random.default_rng(0))
    shape, names = (224, 224, 3), NAMES["one_tower"]
    params = from_torch(ours, arrays(theirs.state_dict()), shape, names)
    ours.params = {name: array.astype(np.float64) for name, array in params.items()}
    images = photographs()
    images = images if len(images) > 4 else images[:2]
    labels = 31 * np.arange(len(images)) % 1000
    x = as_we_do(images).astype(np.float64)
    seen = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    loss = torch.nn.functional.cross_entropy(theirs(seen), torch.from_numpy(labels))
    loss.backward()
    scores, cache = ours.forward(x)
    value, dscores = softmax_cross_entropy(scores, labels)
    _, ours.params = ours.backward(dscores, cache)
    assert abs(value - loss.item()) < 1e-12 * loss.item()
    grads = to_torch(ours, shape, names)
    apart = {
        name: difference(grads[name], parameter.grad.numpy())
        for name, parameter in theirs.named_parameters()
    }
    worst = max(apart, key=apart.get)
    print(f"gradients of {len(images)} pictures: {apart[worst]:.2g} apart in {worst}")
    assert len(apart) == 16
    assert apart[worst] < 1e-10, worst


def test_towers_are_groups_in_pytorch():
    torch = pytorch()
    nn = torch.nn
    theirs = nn.Sequential()
    for name, module in {
        "conv1": nn.Conv2d(3, 16, 5, padding=2),
        "relu1": nn.ReLU(),
        "norm1": nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0),
        "pool1": nn.MaxPool2d(3, 2),
        "conv2": nn.Conv2d(16, 32, 5, padding=2, groups=2),
        "relu2": nn.ReLU(),
        "norm2": nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0),
        "pool2": nn.MaxPool2d(3, 2),
        "conv3": nn.Conv2d(32, 64, 3, padding=1),
        "relu3": nn.ReLU(),
        "conv4": nn.Conv2d(64, 64, 3, padding=1, groups=2),
        "relu4": nn.ReLU(),
        "conv5": nn.Conv2d(64, 48, 3, padding=1, groups=2),
        "relu5": nn.ReLU(),
        "pool5": nn.MaxPool2d(3, 2),
        "flatten": nn.Flatten(),
        "fc6": nn.Linear(432, 128),
        "relu6": nn.ReLU(),
        "drop6": nn.Dropout(),
        "fc7": nn.Linear(128, 128),
        "relu7": nn.ReLU(),
        "drop7": nn.Dropout(),
        "fc8": nn.Linear(128, 10),
    }.items():
        theirs.add_module(name, module)
    ours = network("mini")
    tensors = to_torch(ours, (32, 32, 3))
    theirs.load_state_dict({name: torch.from_numpy(tensors[name]) for name in tensors})
    x = pictures(3, 32, 32).astype(np.float32) / 60 - 2
    with torch.no_grad():
        scores = theirs.eval()(torch.from_numpy(x).permute(0, 3, 1, 2)).numpy()
    assert difference(ours(x), scores) < 1e-5


def test_caffes_network_gives_the_same_scores_here():
    """Caffe's own computation, on (N, C, H, W) in B, G, R, and caffe-tensorflow's way to .npy."""
    torch = pytorch()
    f = torch.nn.functional
    rng = np.random.default_rng(5)
    shapes = {"conv1": (4, 3, 3, 3), "conv2": (6, 2, 3, 3), "fc3": (5, 36), "fc4": (2, 5)}
    weights = {name: rng.normal(size=shape).astype("f4") for name, shape in shapes.items()}
    biases = {name: rng.normal(size=shape[0]).astype("f4") for name, shape in shapes.items()}
    w = {name: torch.from_numpy(weight) for name, weight in weights.items()}
    b = {name: torch.from_numpy(bias) for name, bias in biases.items()}
    rgb = rng.normal(size=(3, *SHAPE)).astype("f4")
    x = torch.from_numpy(rgb[..., ::-1].transpose(0, 3, 1, 2).copy())
    x = f.relu(f.conv2d(x, w["conv1"], b["conv1"], padding=1))
    x = f.max_pool2d(f.conv2d(x, w["conv2"], b["conv2"], groups=2), 3, 2)
    x = f.linear(f.relu(f.linear(x.flatten(1), w["fc3"], b["fc3"])), w["fc4"], b["fc4"])

    npy = {f"{name}.bias": bias for name, bias in biases.items()}
    for name in ("conv1", "conv2"):
        npy[f"{name}.weight"] = weights[name].transpose(2, 3, 1, 0)
    behind_maps = weights["fc3"].reshape(5, 6, 3, 2).transpose(2, 3, 1, 0)
    npy["fc3.weight"], npy["fc4.weight"] = behind_maps.reshape(36, 5), weights["fc4"].T
    net = small(Dropout(0.5))
    net.params = from_caffe(net, npy, SHAPE)
    assert difference(net(rgb), x.numpy()) < 1e-5
