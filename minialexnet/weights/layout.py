"""The same weights as PyTorch and Caffe order them.

=================  =======================  ===============================  ====================
                   here                     PyTorch                          Caffe, from .npy
=================  =======================  ===============================  ====================
convolution        (K, K, C, O)             (O, C, K, K)                     (K, K, C, O)
towers             a layer each             one layer in groups: joined      joined
                                            along O
fully connected    (D, M)                   (M, D)                           (D, M)
D behind maps      in the order (H, W, C)   (C, H, W)                        (H, W, C)
colours            R, G, B                  R, G, B                          B, G, R
dropout            as the layer says        scales by 1 / (1 - rate) in      as PyTorch's
                                            training
=================  =======================  ===============================  ====================

All functions take and give arrays on the host, by name, and leave what they are given alone.

Where a network has the paper's dropout, which scales in evaluation, the weights behind it are
1 / (1 - rate) times as large as in a network that scales in training instead. They are multiplied
by the share that is kept on the way out and divided by it on the way in, and both networks compute
the same, in training and in evaluation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from minialexnet.errors import InputError
from minialexnet.layers import (
    AveragePool,
    Conv2D,
    Dropout,
    Flatten,
    Layer,
    Linear,
    MaxPool,
    Network,
    Parallel,
    ReLU,
)

# What torchvision calls the layers of a network of ours. Where nothing is written, PyTorch's names
# are taken to be ours, with the towers joined: "conv2.weight".
NAMES = {
    "one_tower": {
        "conv1": "features.0",
        "conv2": "features.3",
        "conv3": "features.6",
        "conv4": "features.8",
        "conv5": "features.10",
        "fc6": "classifier.1",
        "fc7": "classifier.4",
        "fc8": "classifier.6",
    }
}


@dataclass(frozen=True)
class Preparation:
    """What others do to a picture before a network of theirs sees it.

    The shorter side is scaled to `size`, the central square of `crop` pixels is cut out, and of
    its pixels, 0 ... 255, the network sees (pixel - mean) * scale.

    Parameters
    ----------
    mean, scale : of R, G and B
    size, crop : pixels
    """

    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    size: int
    crop: int


# How pictures enter the networks whose published weights can be read.
#
# torchvision: its pixels are 0 ... 1, less (0.485, 0.456, 0.406), divided by (0.229, 0.224, 0.225).
# Caffe: the mean colour of ilsvrc_2012_mean, the mean picture (B, G, R: 104.007, 116.669, 122.679).
# Its own networks were trained less the whole mean picture, and on pictures squeezed into 256 x 256
# pixels instead of cut, so their published accuracy may be missed by a little.
INPUTS = {
    "torchvision": Preparation(
        mean=(255 * 0.485, 255 * 0.456, 255 * 0.406),
        scale=(1 / (255 * 0.229), 1 / (255 * 0.224), 1 / (255 * 0.225)),
        size=256,
        crop=224,
    ),
    "caffe": Preparation(
        mean=(122.679, 116.669, 104.007), scale=(1.0, 1.0, 1.0), size=256, crop=227
    ),
}

# A factor can pass these: f(a x) = a f(x) for a > 0.
PASSED = (AveragePool, Dropout, Flatten, MaxPool, ReLU)


@dataclass(frozen=True)
class _Weighted:
    """A layer with weights, as others see it: towers are one layer.

    Parameters
    ----------
    names : of the layers here, one each tower
    shape : (K, K, C, O) or, fully connected, (H, W, C, M), where C is that of one tower, O of all;
        H and W are 1 but behind maps
    kept : the share that the paper's dropout keeps of its inputs
    """

    names: tuple[str, ...]
    shape: tuple[int, int, int, int]
    linear: bool
    kept: float

    @property
    def theirs(self) -> tuple[int, ...]:
        """Shape of the weight in PyTorch."""
        height, width, channels, filters = self.shape
        if self.linear:
            return filters, channels * height * width
        return filters, channels, height, width

    @property
    def ours(self) -> tuple[int, ...]:
        """Shape of the weight here, all towers together."""
        height, width, channels, filters = self.shape
        return (height * width * channels, filters) if self.linear else self.shape

    def joined(self, params: Mapping, part: str) -> np.ndarray:
        """The weight or the bias of all towers."""
        return np.concatenate([params[f"{name}.{part}"] for name in self.names], axis=-1)

    def shares(self, weight: np.ndarray, bias: np.ndarray) -> dict[str, np.ndarray]:
        """The towers' own, with a scaled weight."""
        count = len(self.names)
        weights = np.split(weight / np.float32(self.kept), count, axis=-1)
        biases = np.split(bias, count)
        found = {}
        for name, *shares in zip(self.names, weights, biases, strict=True):
            found[f"{name}.weight"], found[f"{name}.bias"] = map(_copy, shares)
        return found


def to_torch(
    net: Network, shape, names: Mapping[str, str] = MappingProxyType({})
) -> dict[str, np.ndarray]:
    """The parameters of a network as the same network in PyTorch has them.

    Parameters
    ----------
    net : a network as `minialexnet.networks` makes them, its parameters on the host
    shape : (H, W, C) of a picture
    names : what PyTorch calls a layer, where not as here, such as ``NAMES["one_tower"]``

    Returns
    -------
    {name: array}, "conv1.weight" (O, C, K, K), "fc6.weight" (M, D) ..., in the order of the layers;
    no array shares memory with the network

    Raises
    ------
    InputError
        For weights that PyTorch has no layer for, and for dropout that no weights can make up for.
    """
    params, tensors = net.params, {}
    for name, layer in _weighted(net, shape).items():
        weight = layer.joined(params, "weight")
        weight = weight.reshape(layer.shape) * weight.dtype.type(layer.kept)
        prefix = names.get(name, name)
        tensors[f"{prefix}.weight"] = _copy(weight.transpose(3, 2, 0, 1).reshape(layer.theirs))
        tensors[f"{prefix}.bias"] = _copy(layer.joined(params, "bias"))
    return tensors


def from_torch(
    net: Network,
    tensors: Mapping[str, np.ndarray],
    shape,
    names: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, np.ndarray]:
    """PyTorch's parameters as this network has them: the way back from `to_torch`.

    Parameters
    ----------
    tensors : {name: array}, floating-point numbers of any kind
    net, shape, names : as there

    Returns
    -------
    {name: array} float32, for ``net.params``

    Raises
    ------
    InputError
        If a tensor is missing, has another shape than it should, is not of finite floating-point
        numbers, or belongs to no layer; and as `to_torch`.
    """
    layers = _weighted(net, shape)
    prefixes = {name: names.get(name, name) for name in layers}
    expected = {}
    for name, layer in layers.items():
        expected[f"{prefixes[name]}.weight"] = layer.theirs
        expected[f"{prefixes[name]}.bias"] = layer.shape[3:]
    tensors = _checked(tensors, expected)
    params = {}
    for name, layer in layers.items():
        height, width, channels, filters = layer.shape
        weight = tensors[f"{prefixes[name]}.weight"].reshape(filters, channels, height, width)
        weight = weight.transpose(2, 3, 1, 0)
        if layer.linear:
            weight = weight.reshape(layer.ours)
        params |= layer.shares(weight, tensors[f"{prefixes[name]}.bias"])
    return params


def from_caffe(net: Network, tensors: Mapping[str, np.ndarray], shape) -> dict[str, np.ndarray]:
    """Caffe's parameters, as caffe-tensorflow writes them to .npy, as this network has them.

    Parameters
    ----------
    tensors : {name: array}, "conv1.weight" (K, K, C, O), where C is that of one group and O of all,
        "fc6.weight" (D, M), biases (O,): bvlc_alexnet.npy and its like
    net, shape : as for `to_torch`

    Returns
    -------
    {name: array} float32, for ``net.params``

    Raises
    ------
    InputError
        As `from_torch`.

    Notes
    -----
    caffe-tensorflow (kaffe/core.py, DataReshaper) has already turned the filters, and has put the
    rows of fc6 from Caffe's order (C, H, W) into (H, W, C). It leaves the colours as Caffe has
    them, which reads pictures through OpenCV: B, G, R. So the input channels of the first
    convolution are turned round here, and the network takes R, G, B as all networks here do.
    """
    layers = _weighted(net, shape)
    expected = {}
    for name, layer in layers.items():
        expected |= {f"{name}.weight": layer.ours, f"{name}.bias": layer.shape[3:]}
    tensors = _checked(tensors, expected)
    params = {}
    for place, (name, layer) in enumerate(layers.items()):
        weight = tensors[f"{name}.weight"]
        if place == 0 and not layer.linear:
            weight = weight[:, :, ::-1]
        params |= layer.shares(weight, tensors[f"{name}.bias"])
    return params


def convolutions(layer: Layer) -> dict[str, Conv2D]:
    """The convolutions that others run as one, in groups.

    Returns
    -------
    {name inside the layer: convolution}: a convolution by itself under the name "", towers of equal
    ones by their names, and nothing for other layers
    """
    match layer:
        case Conv2D():
            return {"": layer}
        case Parallel(layers=towers) if all(isinstance(tower, Conv2D) for tower in towers.values()):
            kinds = {
                (tower.channels, tower.filters, tower.kernel, tower.stride, tower.pad)
                for tower in towers.values()
            }
            return towers if len(kinds) == 1 else {}
    return {}


def kept_share(dropout: Dropout) -> float:
    """What dropout multiplies by in evaluation."""
    return 1.0 if dropout.inverted else 1 - dropout.rate


def _weighted(net: Network, shape) -> dict[str, _Weighted]:
    """The layers with weights, in their order."""
    shapes, before = net.shapes(shape), tuple(shape)
    found, maps, kept, scaling = {}, (), 1.0, None
    for name, layer in net.layers.items():
        if layer.params:
            found[name] = _one_weighted(name, layer, maps, kept)
            maps, kept, scaling = (), 1.0, None
        elif isinstance(layer, Flatten) and len(before) == 3:
            maps = before
        elif isinstance(layer, Dropout) and kept_share(layer) < 1:
            kept, scaling = kept * kept_share(layer), name
        elif scaling and not isinstance(layer, PASSED):
            behind = f"{type(layer).__name__} {name}"
            break
        before = shapes[name]
    else:
        behind = "the end of the network"
    if scaling:
        raise InputError(
            f"{scaling}: dropout scales in evaluation here and in training elsewhere, so expected "
            f"a layer behind it whose weights can make up for that, got {behind}"
        )
    return found


def _one_weighted(name: str, layer: Layer, maps: tuple, kept: float) -> _Weighted:
    if isinstance(layer, Linear):
        size = (*(maps or (1, 1, layer.features)), layer.units)
        return _Weighted((name,), size, True, kept)
    towers = convolutions(layer)
    if not towers:
        raise InputError(f"{name}: PyTorch has no layer like {type(layer).__name__}")
    first = next(iter(towers.values()))
    size = (first.kernel, first.kernel, first.channels, len(towers) * first.filters)
    names = tuple(f"{name}.{inner}" if inner else name for inner in towers)
    return _Weighted(names, size, False, kept)


def _checked(tensors: Mapping, expected: Mapping[str, tuple]) -> dict[str, np.ndarray]:
    """The tensors in float32, if they are those that are expected."""
    for name in [*expected, *tensors]:
        wanted = expected.get(name, "no tensor of this name")
        came = tensors[name].shape if name in tensors else "none"
        if wanted != came:
            raise InputError(f"{name}: expected {wanted}, got {came}")
    found = {}
    for name, tensor in tensors.items():
        if not np.issubdtype(tensor.dtype, np.floating):
            raise InputError(f"{name}: expected floating-point numbers, got {tensor.dtype}")
        with np.errstate(over="ignore"):
            found[name] = tensor.astype(np.float32, copy=False)
        odd = found[name].size - np.count_nonzero(np.isfinite(found[name]))
        if odd:
            raise InputError(f"{name}: expected finite float32 numbers, got {odd} that are not")
    return found


def _copy(array: np.ndarray) -> np.ndarray:
    """Rows one after the other in memory that is shared with nobody."""
    return np.array(array, order="C")
