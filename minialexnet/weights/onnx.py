"""A network as an ONNX file, which onnxruntime and many others run without this library.

The file is written by hand, so nothing has to be installed for it. In it the feature maps are
(N, C, H, W), as ONNX has them; layers and weights keep the names that they have here.
"""

import json
from collections.abc import Sequence

import numpy as np

from minialexnet.errors import InputError
from minialexnet.files import whole
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
from minialexnet.weights.layout import convolutions, kept_share
from minialexnet.weights.onnx_graph import FLOAT, UINT8, Graph
from minialexnet.weights.protobuf import LIMIT, encoded, size
from minialexnet.windows import output_size

CHANNELS_FIRST, CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def write(path, net: Network, mean, scale, shape, classes: Sequence[str]) -> None:
    """Write a network, and how pictures enter it, as an ONNX file.

    The model takes "pictures", (N, H, W, 3) uint8, RGB, and gives "scores" and "probabilities",
    (N, M) float32: what the network gives in evaluation. Its metadata has the names of the classes
    under "classes", as JSON.

    Parameters
    ----------
    path : the file, .onnx
    net : as `minialexnet.networks` makes them, its parameters on the host
    mean : (H, W, 3), what is subtracted from the pixels; or one number a channel, or one for all
    scale : what the difference is multiplied by; one number a channel, or one for all
    shape : (H, W, 3) of what the network sees
    classes : M names

    Raises
    ------
    InputError
        For a layer that is not one of the library's kinds, for a mean, a scale or a number of
        classes that does not fit the network, and for more than 2 GB: no such file can be larger.
    OSError
        If the file cannot be written; one that was there before is still there.
    """
    shape = tuple(shape)
    mean = _fitting(path, "mean", mean, shape)
    scale = _fitting(path, "scale", scale, shape)
    *_, output = net.shapes(shape).values()
    if output != (len(classes),):
        raise InputError(f"{path}: expected {len(classes)} scores, one a class, got {output}")

    graph = Graph(
        {"pictures": (UINT8, ("N", *shape))},
        {"scores": (FLOAT, ("N", *output)), "probabilities": (FLOAT, ("N", *output))},
    )
    x = graph.node("Cast", "pixels", "pictures", to=FLOAT)
    x = graph.node("Sub", "centred", x, graph.constant("mean", mean))
    x = graph.node("Mul", "scaled", x, graph.constant("scale", scale))
    x = graph.node("Transpose", "seen", x, perm=CHANNELS_FIRST)
    scores = graph.result("Identity", "scores", _network(graph, "", net, x, shape))
    graph.result("Softmax", "probabilities", scores, axis=1)

    pieces = encoded(graph.model("minialexnet", {"classes": json.dumps(list(classes))}))
    if size(pieces) > LIMIT:
        raise InputError(
            f"{path}: expected a network that makes at most {LIMIT:,} bytes, all that an ONNX file "
            f"can hold, got {size(pieces):,}"
        )
    with whole(path) as file:
        for piece in pieces:
            file.write(piece)


def _fitting(path, name: str, numbers, shape) -> np.ndarray:
    """The numbers in float32, if they can be applied to pictures of this shape."""
    numbers = np.asarray(numbers, np.float32)
    if numbers.shape not in [(), (1,), shape[2:], shape]:
        raise InputError(f"{path}: expected a {name} of shape {shape}, got {numbers.shape}")
    return numbers


# Each kind of layer is written by a function of the graph, the layer's name, the layer, the name of
# its input, and the shape that the input has here without the batch, (H, W, C) or (D,). It returns
# the name of the output.


def _written(graph: Graph, name: str, layer: Layer, x: str, shape) -> str:
    kind = type(layer)
    # Not isinstance: a class made from one of the library's may compute something else.
    if kind not in KINDS:
        raise InputError(f"{name}: expected one of the library's layers, got {kind.__name__}")
    return KINDS[kind](graph, name, layer, x, shape)


def _network(graph, name, net, x, shape):
    shapes = net.shapes(shape)
    for inner, layer in net.layers.items():
        x = _written(graph, _joined(name, inner), layer, x, shape)
        shape = shapes[inner]
    return x


def _parallel(graph, name, layer, x, shape):
    towers = layer.layers
    if all(type(tower) is Conv2D for tower in towers.values()) and convolutions(layer):
        return _convolution(graph, name, layer, x, shape)
    names = {inner: _joined(name, inner) for inner in towers}
    shares = [f"{joined}.share" for joined in names.values()]
    xs = graph.nodes("Split", f"{name}.shares", shares, x, axis=1)
    share = (*shape[:-1], shape[-1] // len(towers))
    ys = [
        _written(graph, names[inner], tower, part, share)
        for part, (inner, tower) in zip(xs, towers.items(), strict=True)
    ]
    return graph.node("Concat", name, *ys, axis=1)


def _joined(name: str, inner: str) -> str:
    return f"{name}.{inner}" if name else inner


def _convolution(graph, name, layer, x, shape):
    """One convolution, or equal ones side by side: groups."""
    towers = list(convolutions(layer).values())
    weight, bias = (
        np.concatenate([tower.params[part] for tower in towers], axis=-1)
        for part in ("weight", "bias")
    )
    first = towers[0]
    return graph.node(
        "Conv",
        name,
        x,
        graph.constant(f"{name}.weight", weight.transpose(3, 2, 0, 1)),
        graph.constant(f"{name}.bias", bias),
        kernel_shape=(first.kernel, first.kernel),
        strides=(first.stride, first.stride),
        pads=_pads(first.pad),
        group=len(towers),
    )


def _pads(sides) -> tuple[int, ...]:
    """Padding in ONNX's order: where each axis begins, then where each ends."""
    return tuple(before for before, _ in sides) + tuple(after for _, after in sides)


def _local(graph, name, layer, x, shape):
    """As `LocallyConnected2D` does it: one matrix product a place.

    The windows come about as K x K pictures of one pixel each, side by side in the channels.
    """
    rows, columns, filters = layer.params["bias"].shape
    stride = layer.stride
    if any(map(any, layer.pad)):
        ends = np.array(_pads([(0, 0), (0, 0), *layer.pad]))
        x = graph.node("Pad", f"{name}.padded", x, graph.constant(f"{name}.pads", ends))
    axes = graph.constant(f"{name}.axes", np.array([2, 3]))
    steps = graph.constant(f"{name}.steps", np.array([stride, stride]))
    pixels = []
    for i in range(layer.kernel):
        for j in range(layer.kernel):
            ends = np.array([i + (rows - 1) * stride + 1, j + (columns - 1) * stride + 1])
            pixels.append(
                graph.node(
                    "Slice",
                    f"{name}.pixel{i}.{j}",
                    x,
                    graph.constant(f"{name}.start{i}.{j}", np.array([i, j])),
                    graph.constant(f"{name}.end{i}.{j}", ends),
                    axes,
                    steps,
                )
            )
    windows = graph.node("Concat", f"{name}.windows", *pixels, axis=1)
    places = graph.node("Transpose", f"{name}.places", windows, perm=(2, 3, 0, 1))
    weight = layer.params["weight"].reshape(rows, columns, -1, filters)
    matrices = graph.constant(f"{name}.weight", weight)
    products = graph.node("MatMul", f"{name}.products", places, matrices)
    maps = graph.node("Transpose", f"{name}.maps", products, perm=(2, 3, 0, 1))
    bias = graph.constant(f"{name}.bias", layer.params["bias"].transpose(2, 0, 1))
    return graph.node("Add", name, maps, bias)


def _pooling(kind: str):
    def written(graph, name, layer, x, shape):
        # ONNX's own way to let windows hang over the edge, ceil_mode, has changed from version to
        # version, and runtimes differ. Padding there comes to the same: neither kind counts it.
        over = []
        for side in shape[:2]:
            count = output_size(side, layer.kernel, layer.stride, layer.ceil)
            over.append((0, max(0, (count - 1) * layer.stride + layer.kernel - side)))
        return graph.node(
            kind,
            name,
            x,
            kernel_shape=(layer.kernel, layer.kernel),
            strides=(layer.stride, layer.stride),
            pads=_pads(over),
        )

    return written


def _norm_across(graph, name, layer, x, shape):
    _expect_maps(name, shape)
    if layer.size % 2:
        # ONNX divides alpha by the size.
        alpha = layer.alpha * layer.size
        return graph.node(
            "LRN", name, x, size=layer.size, alpha=alpha, beta=layer.beta, bias=layer.k
        )
    # Of an even size ONNX has one more above than below, and onnxruntime takes none.
    channels = np.arange(shape[-1])
    first = channels[:, None] - layer.size // 2
    around = (first <= channels) & (channels < first + layer.size)
    return _normed(graph, name, layer, x, around[:, :, None, None])


def _norm_within(graph, name, layer, x, shape):
    _expect_maps(name, shape)
    before = layer.size // 2
    side = before, layer.size - 1 - before
    ones = np.ones((shape[-1], 1, layer.size, layer.size))
    return _normed(graph, name, layer, x, ones, pads=_pads([side, side]), group=shape[-1])


def _normed(graph, name, layer, x, around, **settings):
    """x (k + alpha (a convolution of x² with ones))^-beta: that is what both norms are."""
    weight = graph.constant(f"{name}.weight", layer.alpha * around)
    k = graph.constant(f"{name}.k", np.full(len(around), layer.k))
    squares = graph.node("Mul", f"{name}.squares", x, x)
    strength = graph.node("Conv", f"{name}.strength", squares, weight, k, **settings)
    power = graph.constant(f"{name}.power", -layer.beta)
    share = graph.node("Pow", f"{name}.share", strength, power)
    return graph.node("Mul", name, x, share)


def _expect_maps(name: str, shape) -> None:
    if len(shape) != 3:
        raise InputError(f"{name}: expected feature maps, (H, W, C), got {shape}")


def _plain(kind: str):
    def written(graph, name, layer, x, shape):
        return graph.node(kind, name, x)

    return written


def _dropout(graph, name, layer, x, shape):
    share = kept_share(layer)
    if share == 1:
        return x
    return graph.node("Mul", name, x, graph.constant(f"{name}.kept", share))


def _flatten(graph, name, layer, x, shape):
    if len(shape) == 3:
        x = graph.node("Transpose", f"{name}.channels_last", x, perm=CHANNELS_LAST)
    return graph.node("Flatten", name, x, axis=1)


def _linear(graph, name, layer, x, shape):
    weight = graph.constant(f"{name}.weight", layer.params["weight"])
    bias = graph.constant(f"{name}.bias", layer.params["bias"])
    return graph.node("Gemm", name, x, weight, bias)


KINDS = {
    AveragePool: _pooling("AveragePool"),
    Conv2D: _convolution,
    Dropout: _dropout,
    Flatten: _flatten,
    Linear: _linear,
    LocallyConnected2D: _local,
    LocalResponseNorm: _norm_across,
    MaxPool: _pooling("MaxPool"),
    Network: _network,
    Parallel: _parallel,
    ReLU: _plain("Relu"),
    ResponseNorm: _norm_within,
    Sigmoid: _plain("Sigmoid"),
    Tanh: _plain("Tanh"),
}
