"""ONNX files: byte by byte as the format has them, and onnxruntime computes what we compute."""

import json
import struct

import numpy as np
import pytest
from alive import alive, difference, network, pictures

from minialexnet import __version__, networks
from minialexnet.errors import InputError
from minialexnet.layers import (
    AveragePool,
    Conv2D,
    Dropout,
    Flatten,
    Layer,
    Linear,
    LocallyConnected2D,
    LocalResponseNorm,
    MaxPool,
    Network,
    Parallel,
    ReLU,
    ResponseNorm,
    Sigmoid,
    Tanh,
)
from minialexnet.weights import onnx
from minialexnet.weights.protobuf import encoded, size

CLASSES = "abcdefghijklmnopqrstuvwxyz"
SMALL = [name for name, side in networks.SIZES.items() if side < 100]
LARGE = [name for name, side in networks.SIZES.items() if side >= 100]


def rng():
    return np.random.default_rng(0)


def classifier(*, shape=(8, 6, 3), **layers) -> Network:
    """These layers, and behind them one that tells five classes apart."""
    features = int(np.prod([*Network(layers).shapes(shape).values()][-1])) if layers else 144
    ends = {"flatten": Flatten(), "fc": Linear(features, 5, rng=rng())}
    return alive(Network(layers | ends))


def write(path, net, shape=(8, 6, 3), mean=120.0, scale=1 / 60, classes=5):
    """The file, and what the network gives for pictures."""
    onnx.write(path, net, mean, scale, shape, [f"class {m}" for m in range(classes)])
    return path


# ------------------------------------------------------------------------ read back field by field


def fields(message: bytes) -> list:
    """(number, value) of a message's fields: integers, floats or bytes."""
    found, at = [], 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            found.append((number, varint()))
        elif kind == 5:
            found.append((number, struct.unpack("<f", message[at : at + 4])[0]))
            at += 4
        else:
            assert kind == 2
            length = varint()
            assert at + length <= len(message)
            found.append((number, message[at : at + length]))
            at += length
    return found


def of(message: bytes, number: int) -> list:
    """The values of one field."""
    return [value for field, value in fields(message) if field == number]


def tensor(message: bytes) -> tuple[str, np.ndarray]:
    kind = {1: "<f4", 7: "<i8"}[of(message, 2)[0]]
    (name,), (data,) = of(message, 8), of(message, 9)
    return name.decode(), np.frombuffer(data, kind).reshape(of(message, 1))


def graph(path) -> bytes:
    return of(path.read_bytes(), 7)[0]


def constants(path) -> dict:
    return dict(tensor(message) for message in of(graph(path), 5))


def kinds(path) -> list[str]:
    """The operators in their order."""
    return [of(node, 4)[0].decode() for node in of(graph(path), 1)]


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ([], b""),
        ([(1, 0)], b"\x08\x00"),
        ([(1, 150)], b"\x08\x96\x01"),  # the example of the format's own description
        ([(1, 2**63 - 1)], b"\x08" + 8 * b"\xff" + b"\x7f"),
        ([(2, -1)], b"\x10" + 9 * b"\xff" + b"\x01"),
        ([(2, "testing")], b"\x12\x07testing"),
        ([(2, "é")], b"\x12\x02\xc3\xa9"),
        ([(3, [(1, 150)])], b"\x1a\x03\x08\x96\x01"),
        ([(3, [])], b"\x1a\x00"),
        ([(1, 1.0)], b"\x0d\x00\x00\x80\x3f"),
        ([(20, 2), (20, 1)], b"\xa0\x01\x02\xa0\x01\x01"),
        ([(9, memoryview(b"ab"))], b"\x4a\x02ab"),
        ([(9, 200 * b"x")], b"\x4a\xc8\x01" + 200 * b"x"),
    ],
)
def test_the_wire_format(message, written):
    pieces = encoded(message)
    assert b"".join(pieces) == written
    assert size(pieces) == len(written)


def test_the_file_says_what_it_is_and_what_goes_in_and_out(tmp_path):
    net = classifier(conv=Conv2D(3, 4, 3, rng=rng()))
    names = ["Ärmel", 'a "quoted" one', "c", "d", "e"]
    onnx.write(tmp_path / "net.onnx", net, 120.0, 1.0, (8, 6, 3), names)
    model = (tmp_path / "net.onnx").read_bytes()
    assert of(model, 1) == [7]
    assert of(model, 2) == [b"minialexnet"]
    assert of(model, 3) == [__version__.encode()]
    assert [fields(operators) for operators in of(model, 8)] == [[(1, b""), (2, 13)]]
    ((key,), (value,)) = ([value] for _, value in fields(of(model, 14)[0]))
    assert (key, json.loads(value)) == (b"classes", names)

    def end(message):
        (name,), (kind,) = of(message, 1), of(message, 2)
        element, shape = (value for _, value in fields(of(kind, 1)[0]))
        return name.decode(), element, [fields(axis)[0][1] for axis in of(shape, 1)]

    assert [end(message) for message in of(graph(tmp_path / "net.onnx"), 11)] == [
        ("pictures", 2, [b"N", 8, 6, 3])
    ]
    assert [end(message) for message in of(graph(tmp_path / "net.onnx"), 12)] == [
        ("scores", 1, [b"N", 5]),
        ("probabilities", 1, [b"N", 5]),
    ]


def test_every_value_of_the_graph_is_made_once_and_before_it_is_used(tmp_path):
    for name in SMALL:
        side = networks.SIZES[name]
        path = write(tmp_path / f"{name}.onnx", network(name), (side, side, 3), classes=10)
        known = {"pictures", *constants(path)}
        assert len(known) == 1 + len(of(graph(path), 5))
        for node in of(graph(path), 1):
            assert {value.decode() for value in of(node, 1)} <= known
            made = {value.decode() for value in of(node, 2)}
            assert made and not made & known
            known |= made
        assert {"scores", "probabilities"} <= known


def test_the_weights_go_by_the_names_of_the_layers_and_towers_are_joined(tmp_path):
    net = network("mini")
    found = constants(write(tmp_path / "mini.onnx", net, (32, 32, 3), classes=10))
    ours = net.params
    assert (found["conv1.weight"] == ours["conv1.weight"].transpose(3, 2, 0, 1)).all()
    for tower, share in zip("ab", np.split(found["conv2.weight"], 2), strict=True):
        assert (share == ours[f"conv2.{tower}.weight"].transpose(3, 2, 0, 1)).all()
    assert (found["fc6.weight"] == ours["fc6.weight"]).all()
    assert (found["fc8.bias"] == ours["fc8.bias"]).all()


def test_the_same_network_makes_the_same_bytes(tmp_path):
    net = network("cifar_18pct")
    first, second = (write(tmp_path / name, net, (32, 32, 3), classes=10) for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_a_layer_may_be_named_as_an_end_of_the_graph(tmp_path):
    net = classifier(pictures=ReLU(), pixels=ReLU(), scores=Tanh())
    path = write(tmp_path / "net.onnx", net)
    assert kinds(path)[-1] == "Softmax"
    made = [value for node in of(graph(path), 1) for value in of(node, 2)]
    assert len(set(made)) == len(made)


def test_only_the_papers_dropout_leaves_something_in_evaluation(tmp_path):
    def found(drop):
        return kinds(write(tmp_path / "net.onnx", classifier(drop=drop))).count("Mul")

    pixels = 1
    assert found(Dropout(0.5)) == pixels + 1
    assert found(Dropout(0.5, inverted=True)) == found(Dropout(0.0)) == pixels


class MyReLU(ReLU):
    def forward(self, x, rng=None):
        return np.where(x > 0, x, 0.01 * x), x > 0


class Mine(Layer):
    def forward(self, x, rng=None):
        return 2 * x, None


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({"odd": Mine()}, "odd: expected one of the library's layers, got Mine"),
        ({"relu1": MyReLU()}, "relu1: expected one of the library's layers, got MyReLU"),
        (
            {"both": Parallel({"a": Mine(), "b": ReLU(), "c": ReLU()})},
            r"both\.a: expected one of the library's layers, got Mine",
        ),
        (
            {"flat": Flatten(), "norm": LocalResponseNorm()},
            r"norm: expected feature maps, \(H, W, C\), got \(144,\)",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(tmp_path, layers, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        write(tmp_path / "net.onnx", classifier(**layers))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mean": np.zeros((8, 7, 3))}, r"expected a mean of shape \(8, 6, 3\), got \(8, 7, 3\)"),
        ({"scale": np.zeros(2)}, r"expected a scale of shape \(8, 6, 3\), got \(2,\)"),
        ({"classes": 4}, r"expected 4 scores, one a class, got \(5,\)"),
    ],
)
def test_what_does_not_fit_the_network_is_refused(tmp_path, settings, message):
    with pytest.raises(InputError, match=rf"net\.onnx: {message}"):
        write(tmp_path / "net.onnx", classifier(), **settings)
    assert not any(tmp_path.iterdir())


def test_a_network_that_gives_maps_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected 3 scores, one a class, got \(8, 6, 3\)"):
        write(tmp_path / "net.onnx", Network({"relu": ReLU()}), classes=3)


def test_more_than_the_format_can_hold_is_refused_and_nothing_is_written(tmp_path, monkeypatch):
    path = write(tmp_path / "net.onnx", classifier())
    before = path.read_bytes()
    assert onnx.LIMIT == 2**31 - 1
    monkeypatch.setattr(onnx, "LIMIT", len(before))
    write(path, classifier())
    monkeypatch.setattr(onnx, "LIMIT", len(before) - 1)
    message = rf"net\.onnx: expected .* at most {len(before) - 1:,} bytes, .* got {len(before):,}$"
    with pytest.raises(InputError, match=message):
        write(path, classifier())
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OSError, match=r"none/net\.onnx"):
        write(tmp_path / "none" / "net.onnx", classifier())


# --------------------------------------------------------------------------------- with onnxruntime


@pytest.fixture
def compare(tmp_path):
    """Writes a network, has it checked by onnx, and runs it in onnxruntime and here."""
    checker = pytest.importorskip("onnx.checker", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

    def compared(net, shape, mean=120.0, scale=1 / 60):
        classes = [*net.shapes(shape).values()][-1][0]
        path = write(tmp_path / "net.onnx", net, shape, mean, scale, classes)
        checker.check_model(str(path), full_check=True)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = runtime.InferenceSession(path, options)
        metadata = session.get_modelmeta()
        assert metadata.producer_name == "minialexnet"
        assert len(json.loads(metadata.custom_metadata_map["classes"])) == classes
        for count in (1, 3):
            images = pictures(count, *shape[:2])
            names = ["scores", "probabilities"]
            scores, shares = session.run(names, {"pictures": images})
            ours = net((images - np.float32(mean)) * np.float32(scale))
            assert difference(scores, ours) < 1e-4
            exponentials = np.exp(ours - ours.max(axis=1, keepdims=True))
            expected = exponentials / exponentials.sum(axis=1, keepdims=True)
            assert difference(shares, expected) < 1e-4
            assert ours.std() > 0.05  # else any two networks would agree

    return compared


@pytest.mark.parametrize("name", SMALL)
def test_small_networks_give_the_same_scores_in_onnxruntime(name, compare):
    side = networks.SIZES[name]
    mean = rng().uniform(100, 140, (side, side, 3)).astype(np.float32)
    compare(network(name), (side, side, 3), mean, np.float32([1 / 58, 1 / 57, 1 / 60]))


@pytest.mark.parametrize("name", LARGE)
def test_large_networks_with_few_units_give_the_same_scores_in_onnxruntime(name, compare):
    side = networks.SIZES[name]
    compare(network(name), (side, side, 3))


def test_the_whole_network_of_the_paper_gives_the_same_scores_in_onnxruntime(compare):
    compare(alive(networks.alexnet(rng())), (227, 227, 3))


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("kind", [MaxPool, AveragePool])
@pytest.mark.parametrize(
    ("kernel", "stride", "shape"),
    [
        (3, 2, (8, 9, 3)),
        (2, 2, (7, 5, 3)),
        (2, 3, (6, 8, 3)),  # a window that would begin off the picture is none
        (1, 2, (6, 5, 3)),
        (5, 2, (5, 6, 3)),
        (4, 3, (9, 8, 3)),
    ],
)
def test_pooling_in_onnxruntime(kind, ceil, kernel, stride, shape, compare):
    # tanh, so that both signs come in: a border of zeros would show.
    compare(classifier(shape=shape, tanh=Tanh(), pool=kind(kernel, stride, ceil)), shape)


@pytest.mark.parametrize("kind", [MaxPool, AveragePool])
def test_a_window_larger_than_the_picture_in_onnxruntime(kind, compare):
    compare(classifier(shape=(3, 4, 3), tanh=Tanh(), pool=kind(6, 2, ceil=True)), (3, 4, 3))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_the_norms_in_onnxruntime(size, compare):
    settings = {"k": 1.5, "alpha": 0.7 / size, "beta": 0.6}
    conv = Conv2D(3, 6, 3, rng=rng())
    compare(classifier(conv=conv, norm=LocalResponseNorm(size, **settings)), (8, 6, 3))
    compare(classifier(conv=conv, norm=ResponseNorm(size, **settings)), (8, 6, 3))
    towers = {tower: LocalResponseNorm(size, **settings) for tower in "ab"}
    compare(classifier(conv=conv, norm=Parallel(towers)), (8, 6, 3))


@pytest.mark.parametrize("pad", [0, 2, ((0, 3), (1, 2))])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolutions_in_onnxruntime(stride, pad, compare):
    def conv(channels, filters):
        return Conv2D(channels, filters, 3, stride, pad, rng=rng())

    towers = Parallel({"a": conv(2, 3), "b": conv(2, 3)})
    compare(classifier(first=Conv2D(3, 4, 1, rng=rng()), towers=towers), (8, 6, 3))
    local = LocallyConnected2D(8, 6, 3, 4, 3, stride, pad, rng=rng())
    compare(classifier(local=local), (8, 6, 3))


def test_towers_that_are_not_alike_in_onnxruntime(compare):
    towers = {
        "a": Network({"conv": Conv2D(2, 5, 3, pad=1, rng=rng()), "tanh": Tanh()}),
        "b": Network({"conv": Conv2D(2, 5, 1, rng=rng()), "sigmoid": Sigmoid()}),
    }
    unlike = {"a": Conv2D(5, 2, 1, rng=rng()), "b": Conv2D(5, 2, 3, pad=1, rng=rng())}
    net = classifier(
        conv=Conv2D(3, 4, 1, rng=rng()),
        towers=Parallel(towers),
        unlike=Parallel(unlike),
        flatten1=Flatten(),
        halves=Parallel({"a": ReLU(), "b": Tanh()}),
    )
    compare(net, (8, 6, 3))


def test_dropout_between_and_at_the_end_in_onnxruntime(compare):
    net = classifier(drop1=Dropout(0.3), tanh=Tanh(), drop2=Dropout(0.6, inverted=True))
    net.layers["drop3"] = Dropout(0.2)
    compare(net, (8, 6, 3))


@pytest.mark.parametrize("mean", [100, [90.0, 120.0, 150.0], np.float64(110)])
@pytest.mark.parametrize("scale", [0.02, (0.02,), [0.01, 0.02, 0.03]])
def test_means_and_scales_in_onnxruntime(mean, scale, compare):
    compare(classifier(), (8, 6, 3), mean, scale)
