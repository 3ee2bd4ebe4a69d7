"""Answers to the last exercise: AlexNet, assembled."""

from exercise_submissions import Submissions
from minialexnet.layers import Network
from minialexnet.networks import alexnet as library
from minialexnet.networks import alexnet_no_norm, alexnet_no_towers, one_tower
from minialexnet.networks.kinds import layer_kinds

HERE = Submissions()


def _conv(k, rng, channels, filters, kernel, bias=1.0, **settings):
    pad = settings.pop("pad", kernel // 2)
    return k.Conv2D(channels, filters, kernel, pad=pad, bias=bias, rng=rng, **settings)


def _written(k, rng, classes=1000, **parts):
    """Most students' network as a list; `parts` replaces layers by name, None leaves one out."""

    def towers(channels, filters, kernel):
        return k.Parallel({name: _conv(k, rng, channels, filters, kernel) for name in "ab"})

    layers = {
        "conv1": k.Conv2D(3, 96, 11, stride=4, rng=rng, input_grad=False),
        "relu1": k.ReLU(),
        "norm1": k.LocalResponseNorm(),
        "pool1": k.MaxPool(),
        "conv2": towers(48, 128, 5),
        "relu2": k.ReLU(),
        "norm2": k.LocalResponseNorm(),
        "pool2": k.MaxPool(),
        "conv3": _conv(k, rng, 256, 384, 3, bias=0),
        "relu3": k.ReLU(),
        "conv4": towers(192, 192, 3),
        "relu4": k.ReLU(),
        "conv5": towers(192, 128, 3),
        "relu5": k.ReLU(),
        "pool5": k.MaxPool(),
        "flatten": k.Flatten(),
        "fc6": k.Linear(9216, 4096, bias=1, rng=rng),
        "relu6": k.ReLU(),
        "drop6": k.Dropout(),
        "fc7": k.Linear(4096, 4096, bias=1, rng=rng),
        "relu7": k.ReLU(),
        "drop7": k.Dropout(),
        "fc8": k.Linear(4096, classes, rng=rng),
    }
    return Network({name: one for name, one in (layers | parts).items() if one is not None})


@HERE.correct
def written(rng, classes=1000, **kinds):
    return _written(layer_kinds(**kinds), rng, classes)


@HERE.correct
def loops(rng, classes=1000, **kinds):
    """A table, and a loop over it."""
    k, layers, channels = layer_kinds(**kinds), {}, 3
    table = ((96, 11, 1, 0), (256, 5, 2, 1), (384, 3, 1, 0), (384, 3, 2, 1), (256, 3, 2, 1))
    for number, (filters, kernel, towers, bias) in enumerate(table, 1):
        first = number == 1
        settings = {"stride": 4 if first else 1, "pad": 0 if first else kernel // 2}
        settings |= {"bias": bias, "rng": rng, "input_grad": not first}
        both = [
            k.Conv2D(channels // towers, filters // towers, kernel, **settings)
            for _ in range(towers)
        ]
        layers[f"conv{number}"] = (
            both[0] if towers == 1 else k.Parallel(dict(zip("ab", both, strict=True)))
        )
        layers[f"relu{number}"] = k.ReLU()
        if number <= 2:
            layers[f"norm{number}"] = k.LocalResponseNorm()
        if number in (1, 2, 5):
            layers[f"pool{number}"] = k.MaxPool(3, 2)
        channels = filters
    layers["flatten"], features = k.Flatten(), channels * 6 * 6
    for number in (6, 7):
        layers[f"fc{number}"] = k.Linear(features, 4096, bias=1, rng=rng)
        layers[f"relu{number}"], layers[f"drop{number}"] = k.ReLU(), k.Dropout(0.5)
        features = 4096
    return Network(layers | {"fc8": k.Linear(features, classes, rng=rng)})


@HERE.correct
def backwards(rng, classes=1000, **kinds):
    """Drawn in another order, from the end, and put into order afterwards."""
    layers = _written(layer_kinds(**kinds), rng, classes).layers
    other = dict(reversed(layers.items()))
    return Network({name: other[name] for name in layers})


def _changed(**changes):
    """A student's function with some layers made in another way: name = make(k, rng)."""

    def answer(rng, classes=1000, **kinds):
        k = layer_kinds(**kinds)
        parts = {name: make and make(k, rng) for name, make in changes.items()}
        return _written(k, rng, classes, **parts)

    return answer


def _wrong(name, points_at, **changes):
    answer = _changed(**changes)
    answer.__name__ = name
    HERE.mistake(points_at)(answer)


_wrong("no_padding", "keep H and W", conv3=lambda k, rng: _conv(k, rng, 256, 384, 3, 0, pad=0))
_wrong("relu_left_out", "missing: relu4", relu4=None)
_wrong("dropout_left_out", "missing: drop7", drop7=None)
_wrong(
    "conv3_in_towers",
    "sees the maps of both towers",
    conv3=lambda k, rng: k.Parallel({name: _conv(k, rng, 128, 192, 3, 0) for name in "ab"}),
)
_wrong(
    "conv2_in_one",
    "conv2 is two towers",
    conv2=lambda k, rng: _conv(k, rng, 96, 256, 5),
)
_wrong(
    "stride_two",
    "the stride: 4 in conv1",
    conv1=lambda k, rng: k.Conv2D(3, 96, 11, stride=2, rng=rng, input_grad=False),
)
_wrong(
    "gradient_in_the_picture",
    "nobody asks for the gradient in the picture",
    conv1=lambda k, rng: k.Conv2D(3, 96, 11, stride=4, rng=rng),
)
_wrong(
    "picture_padded",
    "convolutions but the first",
    conv1=lambda k, rng: k.Conv2D(3, 96, 11, stride=4, pad=2, rng=rng, input_grad=False),
)
_wrong(
    "bias_forgotten",
    "biases begin with 1",
    fc7=lambda k, rng: k.Linear(4096, 4096, rng=rng),
)
_wrong(
    "bias_too_many",
    "biases begin with 1",
    conv3=lambda k, rng: _conv(k, rng, 256, 384, 3),
)
_wrong(
    "other_spread",
    "standard deviation of 0.01",
    fc6=lambda k, rng: k.Linear(9216, 4096, bias=1, std=0.005, rng=rng),
)
_wrong("windows_side_by_side", "the kernels", pool1=lambda k, rng: k.MaxPool(2, 2))
_wrong("over_the_edge", "do not hang over the edge", pool2=lambda k, rng: k.MaxPool(ceil=True))
_wrong("mean_pooling", "is AveragePool", pool5=lambda k, rng: k.AveragePool())
_wrong("other_dropout", "drops one half", drop6=lambda k, rng: k.Dropout(0.4))
_wrong("inverted_dropout", "scales in evaluation", drop6=lambda k, rng: k.Dropout(inverted=True))
_wrong(
    "other_alpha",
    "the paper's constants",
    norm1=lambda k, rng: k.LocalResponseNorm(alpha=2e-5),
)
_wrong(
    "thousand_classes",
    "one unit a class",
    fc8=lambda k, rng: k.Linear(4096, 1000, rng=rng),
)
_wrong("tanh", "is Tanh, expected ReLU", relu3=lambda k, rng: k.Tanh())
_wrong(
    "filters_not_halved",
    "half in each",
    conv4=lambda k, rng: k.Parallel({name: _conv(k, rng, 192, 384, 3) for name in "ab"}),
)


@HERE.mistake("in another order")
def norm_before_relu(rng, classes=1000, **kinds):
    layers = library(rng, classes, **kinds).layers
    order = list(layers)
    order[1:3] = order[2:0:-1]
    return Network({name: layers[name] for name in order})


@HERE.mistake("though another was handed in")
def others_layers_ignored(rng, classes=1000, ReLU=None, **kinds):
    return library(rng, classes, **kinds)


@HERE.mistake("missing: norm1, norm2")
def no_norm(rng, classes=1000, **kinds):
    return alexnet_no_norm(rng, classes, **kinds)


@HERE.mistake("two towers")
def no_towers(rng, classes=1000, **kinds):
    return alexnet_no_towers(rng, classes, **kinds)


@HERE.mistake(None)
def the_network_of_2014(rng, classes=1000, **kinds):
    """Krizhevsky's one tower, a relative."""
    return one_tower(rng, classes, **kinds)
