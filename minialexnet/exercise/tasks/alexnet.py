"""The last exercise: AlexNet, assembled."""

import numpy as np

from minialexnet.exercise.base import Check, Exercise, Failed
from minialexnet.exercise.source import Source
from minialexnet.layers import Conv2D, Linear, Network, Parallel, ReLU, Tanh
from minialexnet.loss import softmax_cross_entropy
from minialexnet.networks import alexnet
from minialexnet.networks.kinds import layer_kinds

# How many times narrower the network is that is tried out; the widths asked for are kept apart.
THIN = 16
SIDE = 227


def naive():
    """The sides of the maps, by (H + 2 P - K) // S + 1, layer by layer from 227 pixels."""
    side, sides = 227, {}
    for name, kernel, stride, pad in (
        ("conv1", 11, 4, 0),
        ("pool1", 3, 2, 0),
        ("conv2", 5, 1, 2),
        ("pool2", 3, 2, 0),
        ("conv3", 3, 1, 1),
        ("conv4", 3, 1, 1),
        ("conv5", 3, 1, 1),
        ("pool5", 3, 2, 0),
    ):
        side = (side + 2 * pad - kernel) // stride + 1
        sides[name] = side
    return sides


def _thin(width: int) -> int:
    return width if width < THIN else width // THIN


class _Conv2D(Conv2D):
    """A narrow convolution that knows what it was asked to be."""

    def __init__(self, channels, filters, kernel, stride=1, pad=0, **settings):
        super().__init__(_thin(channels), _thin(filters), kernel, stride, pad, **settings)
        self.asked = {
            "channels": channels,
            "filters": filters,
            "kernel": kernel,
            "stride": stride,
            "pad": self.pad,
            "bias": float(settings.get("bias", 0)),
            "std": float(settings.get("std", 0.01)),
            "input_grad": self.input_grad,
        }


class _Linear(Linear):
    """A narrow fully connected layer that knows what it was asked to be."""

    def __init__(self, features, units, **settings):
        super().__init__(_thin(features), _thin(units), **settings)
        self.asked = {
            "features": features,
            "units": units,
            "bias": float(settings.get("bias", 0)),
            "std": float(settings.get("std", 0.01)),
        }


# Errors name the layer as the student knows it.
_Conv2D.__name__, _Linear.__name__ = "Conv2D", "Linear"


def _built(candidate, classes: int = 1000) -> Network:
    """The student's network, narrow; whole if it does not take layers of others."""
    rng = np.random.default_rng(0)
    net = candidate(rng, classes, Conv2D=_Conv2D, Linear=_Linear)
    if not isinstance(getattr(net, "layers", None), dict):
        raise Failed(f"a Network of named layers should be returned, got {type(net).__name__}")
    return net


def _kind(layer) -> str:
    """The library's name of what a layer is."""
    names = vars(layer_kinds()).items()
    mine = [name for name, kind in names if isinstance(layer, kind) and name != "Layer"]
    return mine[0] if mine else type(layer).__name__


def _facts(layer) -> dict:
    """The numbers that a layer was made with, by name."""
    if hasattr(layer, "asked"):
        return layer.asked
    facts = {
        key: value
        for key, value in vars(layer).items()
        if key not in ("params", "layers") and not key.startswith("_")
    }
    if getattr(layer, "params", None) and not hasattr(layer, "layers"):
        facts["bias"] = float(layer.params["bias"].mean())
        facts["std"] = round(float(layer.params["weight"].std()), 4)
    return facts


def _all_layers(net) -> dict:
    """Every layer by its name, those inside towers too."""
    found = {}
    for name, layer in net.layers.items():
        found[name] = layer
        if hasattr(layer, "layers"):
            found |= {f"{name}.{inner}": one for inner, one in layer.layers.items()}
    return found


WHY = {
    "pad": "convolutions but the first keep H and W: pad is half the kernel, 2 for 5 and 1 for 3",
    "bias": "biases begin with 1 in conv2, conv4, conv5, fc6 and fc7, and with 0 elsewhere",
    "std": "weights begin with a standard deviation of 0.01",
    "stride": "the stride: 4 in conv1, 2 in the poolings, 1 elsewhere",
    "kernel": "the kernels: 11, 5, 3, 3 and 3, and 3 in the poolings",
    "channels": "a tower sees half of the maps before it; conv3 sees them all",
    "filters": "the two towers together have the maps of the table: half in each",
    "features": "fc6 sees 256 maps of 6 x 6, each later one what the one before puts out",
    "units": "4096, 4096, and one a class",
    "input_grad": "nobody asks for the gradient in the picture, but in all later layers they do",
    "rate": "dropout drops one half",
    "inverted": "the paper scales in evaluation",
    "ceil": "the last windows do not hang over the edge here",
    "alpha": "the paper's constants are the defaults of LocalResponseNorm",
    "beta": "the paper's constants are the defaults of LocalResponseNorm",
    "k": "the paper's constants are the defaults of LocalResponseNorm",
    "size": "the paper's constants are the defaults of LocalResponseNorm",
}


def _names(candidate, rng):
    came, right = list(_built(candidate).layers), list(_built(alexnet).layers)
    if came == right:
        return
    missing = [name for name in right if name not in came]
    more = [name for name in came if name not in right]
    place = next((i for i, pair in enumerate(zip(came, right)) if pair[0] != pair[1]), len(right))  # noqa: B905
    here, there = (names[place] if place < len(names) else "the end" for names in (came, right))
    likely = f"in another order: {there} comes before {here}"
    if missing:
        likely = f"missing: {', '.join(missing)}"
    elif more:
        likely = f"too many: {', '.join(more)}"
    raise Failed(f"layer number {place} is {here}, expected {there}", likely)


def _kinds(candidate, rng):
    came, right = (_all_layers(_built(network)) for network in (candidate, alexnet))
    for name, layer in right.items():
        if name not in came:
            if name.partition(".")[0] in came:
                raise Failed(
                    f"there is no {name}", f"{name.partition('.')[0]} is two towers, a and b"
                )
            raise Failed(f"there is no {name}")
        if _kind(came[name]) != _kind(layer):
            likely = None
            if isinstance(came[name], Parallel):
                likely = f"{name} sees the maps of both towers: one convolution, no towers"
            elif isinstance(layer, Parallel):
                likely = f"{name} is two towers, each on half of the maps"
            raise Failed(f"{name} is {_kind(came[name])}, expected {_kind(layer)}", likely)


def _numbers(candidate, kinds, keys=None):
    came, right = (_all_layers(_built(network)) for network in (candidate, alexnet))
    for name, layer in right.items():
        if _kind(layer) not in kinds:
            continue
        if name not in came:
            raise Failed(f"there is no {name}")
        if _kind(came[name]) != _kind(layer):
            raise Failed(f"{name} is {_kind(came[name])}, expected {_kind(layer)}")
        mine, theirs = _facts(layer), _facts(came[name])
        for key, value in mine.items():
            if (keys is None) == (key in ("bias", "std")):
                continue
            if theirs.get(key) != value:
                raise Failed(f"{name} has {key} {theirs.get(key)}, expected {value}", WHY.get(key))


def _convolutions(candidate, rng):
    _numbers(candidate, ("Conv2D",))


def _connected(candidate, rng):
    _numbers(candidate, ("Linear",))
    classes = int(rng.integers(17, 300))
    last = _facts(list(_built(candidate, classes).layers.values())[-1])
    if last.get("units") != classes:
        raise Failed(
            f"the last layer has {last.get('units')} units, expected {classes}",
            "one unit a class: `classes` is what the network is asked to tell apart",
        )


def _others(candidate, rng):
    _numbers(candidate, ("MaxPool", "LocalResponseNorm", "Dropout"))


def _initial(candidate, rng):
    _numbers(candidate, ("Conv2D", "Linear"), keys=("bias", "std"))


def _shapes(candidate, rng):
    right, net = _built(alexnet).shapes((SIDE, SIDE, 3)), _built(candidate)
    try:
        came = net.shapes((SIDE, SIDE, 3))
    except ValueError as error:
        notes = " ".join(getattr(error, "__notes__", ()))
        raise Failed(
            f"a picture of {SIDE} pixels does not fit through the network (tried {THIN} times "
            f"narrower): {error} {notes}",
            "the sides of the maps or the numbers of channels do not follow from each other",
        ) from None
    for name, shape in right.items():
        if name not in came:
            raise Failed(f"there is no {name}")
        if came[name] != shape and len(came[name]) == len(shape) == 3:
            raise Failed(
                f"the maps of {name} are {came[name][0]} x {came[name][1]}, expected "
                f"{shape[0]} x {shape[1]}",
                "(H + 2 P - K) // S + 1 of this layer or one before it, or the layers' order",
            )
        if np.prod(came[name]) != np.prod(shape):
            raise Failed(f"{name} puts out a wrong number of features")


def _count(net) -> int:
    total = 0
    for layer in _all_layers(net).values():
        facts = _facts(layer)
        if "filters" in facts:
            inputs = facts["kernel"] ** 2 * facts["channels"]
            total += (inputs + 1) * facts["filters"]
        elif "units" in facts:
            total += (facts["features"] + 1) * facts["units"]
    return total


def _parameters(candidate, rng):
    came, right = _count(_built(candidate)), _count(_built(alexnet))
    if came != right:
        raise Failed(f"{came:,} parameters, expected {right:,}")


def _own_layers(candidate, rng):
    class Own(Tanh):
        pass

    class Narrow(_Conv2D):
        pass

    net = candidate(np.random.default_rng(0), 32, Conv2D=Narrow, Linear=_Linear, ReLU=Own)
    for name, layer in _all_layers(net).items():
        for kind, wanted in ((ReLU, Own), (Conv2D, Narrow), (Linear, _Linear)):
            if isinstance(layer, kind) and not isinstance(layer, wanted):
                raise Failed(
                    f"{name} is the library's {kind.__name__}, though another was handed in",
                    "take every layer from k = layer_kinds(**kinds): k.Conv2D, k.ReLU ...",
                )
    if not any(isinstance(layer, Own) for layer in net.layers.values()):
        raise Failed("ReLU=Tanh has no effect", "take the layers from layer_kinds(**kinds)")


def _trains(candidate, rng):
    """One step of the narrow network: the same loss and the same gradients."""
    x = rng.standard_normal((2, SIDE, SIDE, 3), dtype=np.float32)
    labels, seed = rng.integers(32, size=2), int(rng.integers(2**31))
    ours, theirs = _built(alexnet, 512), _built(candidate, 512)
    drawn = np.random.default_rng(seed)
    params = {
        name: (0.1 * drawn.standard_normal(w.shape)).astype("float32")
        for name, w in ours.params.items()
    }
    shapes = {name: w.shape for name, w in params.items()}
    came = {name: w.shape for name, w in theirs.params.items()}
    for name, shape in shapes.items():
        if came.get(name) != shape:
            wide = "" if name in came else " (there is none of that name)"
            raise Failed(f"{name} has another shape than it should{wide}")
    found = []
    for net in (ours, theirs):
        net.params = params
        scores, cache = net.forward(x, np.random.default_rng(seed))
        loss, dscores = softmax_cross_entropy(scores, labels)
        _, grads = net.backward(dscores, cache)
        found.append((float(loss), grads["conv1.weight"]))
    (right, dright), (loss, dweight) = found
    if not abs(loss - right) <= 1e-3 * max(1, abs(right)):
        raise Failed(f"with the same weights the loss is {loss:.5g}, expected {right:.5g}")
    if not np.allclose(dweight, dright, atol=1e-3 * abs(dright).max()):
        raise Failed("with the same weights the gradient of conv1.weight is another one")


EXERCISE = Exercise(
    name="alexnet",
    title="AlexNet, assembled",
    provides="alexnet",
    minutes=60,
    task="""
Write the function that assembles the network of the paper (section 3.5 and figure 2) from its
layers, with its initial weights (section 5): a `Network` of named layers. Take the kinds of layer
from `k = layer_kinds(**kinds)` (`k.Conv2D`, `k.ReLU`, `k.LocalResponseNorm`, `k.MaxPool`,
`k.Parallel`, `k.Flatten`, `k.Linear`, `k.Dropout`), so that others may put layers of their own in
their places. Towers are `k.Parallel({"a": ..., "b": ...})`.
""",
    source=Source("minialexnet.networks.alexnet", "alexnet"),
    definition=naive,
    rules="Only the table is asked for: no layer is to be written.\n",
    hints=(
        "Begin with the names, in order: conv1 relu1 norm1 pool1 conv2 relu2 norm2 pool2 conv3 "
        "relu3 conv4 relu4 conv5 relu5 pool5 flatten fc6 relu6 drop6 fc7 relu7 drop7 fc8.",
        "A tower sees half of the maps before it and makes half of the layer's: conv2 is two "
        "k.Conv2D(48, 128, kernel=5, pad=2, bias=1, rng=rng). conv3 sees all 256.",
        "Compare net.shapes((227, 227, 3)) with the table: 55, 27, 27, 13, 13, 13, 13, 6. "
        "fc6 has 256 * 6 * 6 features. minialexnet/networks/mini.py is the same in small.",
    ),
    checks=(
        Check("names in order", 2, _names),
        Check("kinds of layer", 2, _kinds),
        Check("convolutions", 3, _convolutions),
        Check("pooling, norm, dropout", 1, _others),
        Check("fully connected", 1, _connected),
        Check("initial weights", 2, _initial),
        Check("shapes", 1, _shapes),
        Check("number of parameters", 1, _parameters),
        Check("layers of one's own", 1, _own_layers),
        Check("trains the network", 1, _trains),
    ),
)
