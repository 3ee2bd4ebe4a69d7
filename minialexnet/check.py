"""Is this a layer? Its contract, and its gradients against finite differences."""

import copy

import numpy as np

from minialexnet.backend import Device

TOLERANCE = 1e-6
STEP = 1e-5
# Beyond this many entries of an array, slopes are measured at a random choice of them.
ENTRIES = 4000


def layer(layer, x, seed: int | None = None, device: Device | None = None) -> None:
    """Refuse anything that does not behave as a layer must.

    The contract: forward returns (y, cache), backward returns (dx, grads) with a gradient for each
    parameter; shapes fit and dtypes follow x; nothing that was handed in is written into; the same
    call gives the same bits, also after the layer has seen other pictures; every image is treated
    by itself (in evaluation, where chance plays no part).

    The gradients: for a random direction dy, the slope of sum(y dy) in every entry of x and of each
    parameter, as backward says it and as (f(+h) - f(-h)) / 2h in float64. They may differ by 1e-6
    of the largest slope in the array. Choose x without ties and without entries at a kink.

    Parameters
    ----------
    layer : an object with params, forward and backward (see `minialexnet.layers.Layer`)
    x : (N, ...), a NumPy array that the layer accepts, at least two images
    seed : None checks the layer in evaluation, a number in training with a generator of that seed
    device : where the layer works; it is handed over with its parameters on the host, as x is.
        Whether it writes into what it is handed shows on a CPU alone.

    Raises
    ------
    AssertionError
        Naming the layer, the array, the index and both values.

    Notes
    -----
    A dy of ones would accept any layer whose outputs sum to a constant, such as a softmax with
    twice its gradient, and filters in the wrong order; a random dy does not. Of arrays with more
    than 4000 entries, 4000 random ones are measured.
    """
    name = type(layer).__name__
    if device is not None and device.name != "cpu":
        layer = _Away(layer, device)
    for dtype in (np.float32, np.float64):
        _contract(name, _cast(layer, dtype), x.astype(dtype), seed)
    _gradients(name, _cast(layer, np.float64), x.astype(np.float64), seed)


def memoryless(layer, x, seed: int | None = None) -> None:
    """Refuse a layer that remembers, or (in evaluation) lets one image see another.

    Parameters as for `layer`, of any one dtype; Raises likewise.
    """
    name = type(layer).__name__
    y, cache = _forward(name, layer, x, seed)
    dx, grads = _backward(name, layer, _direction(y), cache)
    _no_memory(name, layer, x, seed, {"y": y, "dx": dx, **_named(grads)})
    if seed is None:
        _images_apart(name, layer, x, y)


class _Away:
    """A layer on a device, as one that takes and gives arrays of the host."""

    def __init__(self, layer, device: Device):
        self.layer, self.device = copy.deepcopy(layer), device
        self.params = layer.params

    @property
    def input_grad(self) -> bool:
        return getattr(self.layer, "input_grad", True)

    @property
    def params(self) -> dict:
        return {key: self.device.get(array) for key, array in self.layer.params.items()}

    @params.setter
    def params(self, params: dict) -> None:
        self.layer.params = {key: self.device.put(array) for key, array in params.items()}

    def forward(self, x, rng=None):
        y, cache = self.layer.forward(self.device.put(x), rng)
        return self._fetched("y", y), cache

    def backward(self, dy, cache):
        dx, grads = self.layer.backward(self.device.put(dy), cache)
        return (
            None if dx is None else self._fetched("dx", dx),
            {key: self._fetched(f"d{key}", grad) for key, grad in grads.items()},
        )

    def _fetched(self, key: str, array) -> np.ndarray:
        if isinstance(array, np.ndarray):
            name, where = type(self.layer).__name__, self.device.name
            raise AssertionError(f"{name}: {key} should be on {where}, got an array of the host")
        return self.device.get(array)


def _cast(layer, dtype):
    """A copy of the layer with parameters of that dtype."""
    layer = copy.deepcopy(layer)
    layer.params = {key: array.astype(dtype) for key, array in layer.params.items()}
    return layer


def _rng(seed):
    return None if seed is None else np.random.default_rng(seed)


def _forward(name, layer, x, seed):
    pair = layer.forward(x, _rng(seed))
    if not (isinstance(pair, tuple) and len(pair) == 2):
        raise AssertionError(f"{name}: forward must return (y, cache), got {type(pair).__name__}")
    return pair


def _backward(name, layer, dy, cache):
    pair = layer.backward(dy, cache)
    if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[1], dict)):
        raise AssertionError(f"{name}: backward must return (dx, grads), grads a dict")
    return pair


def _contract(name, layer, x, seed):
    before = {"x": x.copy(), **{key: array.copy() for key, array in layer.params.items()}}
    y, cache = _forward(name, layer, x, seed)
    _like(name, "y", y, (len(x), *np.shape(y)[1:]), x)
    dy = _direction(y)
    dy_before, y_before = dy.copy(), y.copy()
    dx, grads = _backward(name, layer, dy, cache)

    _untouched(name, "dy", dy, dy_before)
    _untouched(name, "y", y, y_before)
    for key, array in {"x": x, **layer.params}.items():
        _untouched(name, key, array, before[key])

    if dx is not None:
        _like(name, "dx", dx, x.shape, x)
    elif getattr(layer, "input_grad", True):
        raise AssertionError(f"{name}: dx is None, expected an array like x {x.shape}")
    if grads.keys() != layer.params.keys():
        raise AssertionError(
            f"{name}: expected gradients for {sorted(layer.params)}, got {sorted(grads)}"
        )
    for key, param in layer.params.items():
        _like(name, f"d{key}", grads[key], param.shape, x)

    _no_memory(name, layer, x, seed, {"y": y, "dx": dx, **_named(grads)})
    if seed is None:
        _images_apart(name, layer, x, y)


def _no_memory(name, layer, x, seed, results):
    results = {key: array for key, array in results.items() if array is not None}
    expected = {key: array.copy() for key, array in results.items()}
    y, cache = _forward(name, layer, x, seed)
    other = np.concatenate([x[1:], x[:1]])
    _backward(name, layer, _direction(y), _forward(name, layer, other, seed)[1])
    for key, array in results.items():
        _equal(name, key, array, expected[key], "was written into by a later call")
    dx, grads = _backward(name, layer, _direction(y), cache)
    again = {"y": y, "dx": dx, **_named(grads)}
    for key, array in expected.items():
        where = "differs when repeated after other pictures: the layer remembers something"
        _equal(name, key, again[key], array, where)

    # Fewer pictures, for a layer may remember no more than a shape.
    y, cache = _forward(name, layer, x, seed)
    _forward(name, layer, x[:-1], seed)
    try:
        dx, _ = _backward(name, layer, _direction(y), cache)
        same = dx is None or dx.shape == x.shape
    except Exception:  # what a wrong shape makes backward raise may be anything
        same = False
    if not same:
        raise AssertionError(
            f"{name}: backward does not work once fewer pictures were seen: "
            "the layer remembers something"
        )


def _images_apart(name, layer, x, y):
    alone = _forward(name, layer, x[:1], None)[0]
    limit = 100 * np.finfo(x.dtype).eps * max(1.0, abs(y).max())
    worst = abs(alone - y[:1])
    if not worst.max() <= limit:
        index = _largest(worst)
        raise AssertionError(
            f"{name}: y{list(index)} depends on the other images: "
            f"{float(y[index])!r} in a batch, {float(alone[index])!r} alone"
        )


def _named(grads):
    return {f"d{key}": grad for key, grad in grads.items()}


def _direction(y):
    """A random direction, the same for the same shape."""
    # A seed that nobody draws x with: a dy equal to x would hide mistakes, for xᵀ x is symmetric.
    return np.random.default_rng(20121203).standard_normal(y.shape).astype(y.dtype)


def _like(name, key, array, shape, x):
    if not isinstance(array, np.ndarray):
        raise AssertionError(f"{name}: {key} should be an array, got {type(array).__name__}")
    if array.shape != shape:
        raise AssertionError(f"{name}: {key} should have the shape {shape}, got {array.shape}")
    if array.dtype != x.dtype:
        raise AssertionError(f"{name}: {key} should be {x.dtype} as x is, got {array.dtype}")


def _untouched(name, key, array, before):
    _equal(name, key, array, before, "was written into")


def _equal(name, key, array, before, what):
    if not np.array_equal(array, before, equal_nan=True):
        index = _largest(array != before)
        raise AssertionError(
            f"{name}: {key}{list(index)} {what}: "
            f"{float(before[index])!r} became {float(array[index])!r}"
        )


def _largest(array) -> tuple[int, ...]:
    """Where the largest entry stands."""
    return tuple(int(i) for i in np.unravel_index(array.argmax(), array.shape))


def _gradients(name, layer, x, seed):
    y, cache = _forward(name, layer, x, seed)
    dy = _direction(y)
    dx, grads = _backward(name, layer, dy, cache)

    if dx is not None:

        def moved_x(x):
            return layer.forward(x, _rng(seed))[0]

        _slopes(name, "dx", moved_x, x, dy, dx)

    params = dict(layer.params)
    for key in params:

        def moved_param(param, key=key):
            layer.params = {**params, key: param}
            return layer.forward(x, _rng(seed))[0]

        _slopes(name, f"d{key}", moved_param, params[key], dy, grads[key])
        layer.params = params


def _slopes(name, key, function, array, dy, claimed):
    """Compare the claimed gradient with measured slopes, entry by entry."""
    entries = np.arange(array.size)
    if array.size > ENTRIES:
        entries = np.random.default_rng(0).choice(array.size, ENTRIES, replace=False)
    measured = claimed.copy()
    for entry in entries:
        up, down = array.copy(), array.copy()
        up.flat[entry] += STEP
        down.flat[entry] -= STEP
        measured.flat[entry] = ((function(up) - function(down)) * dy).sum() / (2 * STEP)
    largest = max(abs(measured).max(), abs(claimed).max(), np.finfo(float).tiny)
    error = np.nan_to_num(abs(claimed - measured) / largest, nan=np.inf)
    index = _largest(error)
    if error[index] > TOLERANCE:
        raise AssertionError(
            f"{name}: {key}{list(index)} is {float(claimed[index])!r}, "
            f"but the slope measured there is {float(measured[index])!r} "
            f"(off by {error[index]:.1e} of the largest slope)"
        )
