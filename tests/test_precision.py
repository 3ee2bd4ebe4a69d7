"""float16 is right where it can be, float32 where it cannot, and TF32 a GPU's own business."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import tiny

from minialexnet import strict
from minialexnet.backend import device
from minialexnet.data.prepared import Dataset, Split
from minialexnet.data.shapes import shapes
from minialexnet.engine import for_cpu
from minialexnet.errors import InputError
from minialexnet.layers import (
    AveragePool,
    Conv2D,
    Dropout,
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
from minialexnet.precision import Half, InFloat32, prepare, twin
from minialexnet.recipe import Recipe
from minialexnet.run import for_device
from minialexnet.scaling import Scaling, scaling_of
from minialexnet.train import Progress, train

CPU = device("cpu")


def rng():
    return np.random.default_rng(0)


# ---------------------------------------------------------------- layers in float16

# Two roundings of float16, of 2^-11 each, and a little: a share of the largest value.
CLOSE = 2e-3
PICTURE, MATRIX = (8, 13, 11, 6), (64, 50)
LAYERS = {
    "conv": (Conv2D(6, 9, 3, stride=1, pad=1, std=0.1, rng=rng()), PICTURE),
    "conv with a stride": (Conv2D(6, 9, 5, stride=2, pad=1, std=0.1, rng=rng()), PICTURE),
    "local": (LocallyConnected2D(13, 11, 6, 4, 3, pad=1, std=0.1, rng=rng()), PICTURE),
    "linear": (Linear(50, 30, std=0.1, rng=rng()), MATRIX),
    "max": (MaxPool(3, 2), PICTURE),
    "average": (AveragePool(3, 2), PICTURE),
    "norm": (LocalResponseNorm(alpha=0.5), PICTURE),
    "norm over pixels": (ResponseNorm(alpha=0.5), PICTURE),
    "relu": (ReLU(), PICTURE),
    "tanh": (Tanh(), PICTURE),
    "sigmoid": (Sigmoid(), PICTURE),
    "dropout": (Dropout(0.4), MATRIX),
    "inverted dropout": (Dropout(0.4, inverted=True), MATRIX),
    "towers": (
        Parallel({name: Conv2D(3, 4, 3, std=0.1, rng=rng()) for name in "ab"}),
        PICTURE,
    ),
}


def results(layer, x, there=CPU):
    """y, dx and all gradients, for a fixed dy, on the host in float64."""
    y, cache = layer.forward(x, rng())
    dy = np.random.default_rng(1).normal(size=y.shape).astype(np.float16)
    dx, grads = layer.backward(there.put(dy.astype(y.dtype)), cache)
    found = {"y": y, "dx": dx, **grads}
    assert {array.dtype for array in found.values()} == {np.dtype(x.dtype)}
    return {name: there.get(array).astype(np.float64) for name, array in found.items()}


@pytest.mark.parametrize("where", ["cpu", "strict"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_in_float16_is_that_in_float64_but_for_rounding(name, where):
    layer, shape = LAYERS[name]
    there = CPU if where == "cpu" else strict.device()
    x = rng().normal(size=shape).astype(np.float16)
    half = twin(layer, there)
    half.params = {
        name: there.put(array.astype(np.float16)) for name, array in layer.params.items()
    }
    found = results(half, there.put(x), there)
    full = twin(layer, CPU)
    while isinstance(full, InFloat32):
        full = full.layer
    if isinstance(full, Parallel):
        full.layers = {key: one.layer for key, one in full.layers.items()}
    full.params = {
        name: array.astype(np.float16).astype(np.float64) for name, array in layer.params.items()
    }
    for key, value in results(full, x.astype(np.float64)).items():
        # Bias gradients: the strict device adds up as NumPy does, with a rounding each time.
        limit = 10 * CLOSE if where == "strict" and key.endswith("bias") else CLOSE
        assert abs(found[key] - value).max() <= limit * abs(value).max(), key


@pytest.mark.parametrize("kind", [LocalResponseNorm, ResponseNorm])
def test_norms_hold_what_float16_cannot_square(kind):
    """256 squared leaves float16, and activations of hundreds are usual with pixels as they are."""
    x = (300 * rng().normal(size=(2, 5, 5, 8))).astype(np.float16)
    norm = kind()
    with np.errstate(over="ignore", invalid="ignore"):
        alone = norm(x)
    assert not np.array_equal(alone, norm(x.astype(np.float32)).astype(np.float16))
    eased = twin(norm, CPU)(x)
    assert eased.dtype == np.float16
    expected = norm(x.astype(np.float64))
    np.testing.assert_allclose(eased.astype(np.float64), expected, rtol=1e-3)


def test_an_average_over_many_large_values_does_not_overflow():
    x = np.full((1, 8, 8, 2), 3000, np.float16)
    pool = AveragePool(8, 8)
    with np.errstate(over="ignore"):
        assert np.isinf(pool(x)).all()
    assert (twin(pool, CPU)(x) == 3000).all()


def test_bias_gradients_of_many_rows_add_up_on_a_cpu():
    """NumPy's own sum stops growing where one more is less than half of the last bit."""
    layer, rows = Linear(2, 2, rng=rng()), np.ones((6000, 2), np.float16)
    half = twin(layer, CPU)
    half.params = {name: array.astype(np.float16) for name, array in layer.params.items()}
    _, grads = half.backward(rows, half.forward(rows)[1])
    assert rows.sum(axis=0).tolist() == [2048, 2048]
    assert grads["bias"].tolist() == [6000, 6000]


def test_a_students_norm_is_worked_out_in_float32_too():
    kinds = [type(name, (Layer,), {}) for name in ("LocalResponseNorm", "MyReLU")]
    assert [isinstance(twin(kind(), CPU), InFloat32) for kind in kinds] == [True, False]


# ---------------------------------------------------------------- the network


def half(net, scale=2.0**15, there=CPU):
    scaling = Scaling()
    scaling.begin(there, scale, 0, 0)
    return Half(net, twin(net, there), scaling)


def test_a_network_in_float16_learns_in_float32():
    net, x = tiny.network(), rng().normal(size=(4, 8, 8, 3)).astype(np.float32)
    # Without kinks and maxima, which a rounding may turn round.
    net.layers |= {"relu1": Tanh(), "pool1": AveragePool(3, 2)}
    one = half(net)
    y, cache = one.forward(x, rng())
    dx, grads = one.backward(np.full(y.shape, 1e-3, np.float32), cache)
    assert dx is None
    assert y.dtype == np.float32
    assert {array.dtype for array in (*one.params.values(), *grads.values())} == {y.dtype}
    assert {array.dtype for array in one.worker.params.values()} == {np.dtype(np.float16)}
    assert list(grads) == list(net.params)
    expected, cache = net.forward(x, rng())
    _, wanted = net.backward(np.full(y.shape, 1e-3, np.float32), cache)
    np.testing.assert_allclose(y, expected, atol=3 * CLOSE * abs(expected).max())
    for name, grad in grads.items():
        limit = 5 * CLOSE * abs(wanted[name]).max()
        np.testing.assert_allclose(grad, wanted[name], atol=limit, err_msg=name)
    assert (y != expected).any()


def test_gradients_that_float16_cannot_hold_survive_by_scaling():
    net, x = tiny.network(), rng().normal(size=(4, 8, 8, 3)).astype(np.float32)
    largest = {}
    for scale in (1.0, 2.0**15):
        one = half(net, scale)
        y, cache = one.forward(x, rng())
        _, grads = one.backward(np.full(y.shape, 1e-8, np.float32), cache)
        largest[scale] = abs(grads["fc2.weight"]).max()
    assert largest[1.0] == 0 < largest[2.0**15]


def test_weights_that_are_put_into_the_network_are_the_ones_that_count():
    net = tiny.network()
    one, x = half(net), np.ones((1, 8, 8, 3), np.float32)
    before = one(x)
    net.params = {name: 2 * array for name, array in net.params.items()}
    assert (one(x) != before).any()
    one.params = {name: array / 2 for name, array in net.params.items()}
    np.testing.assert_array_equal(one(x), before)


def test_the_twin_shares_no_layer_and_copies_no_array():
    net = tiny.network()
    other = twin(net, strict.device())
    assert all(other.layers[name] is not layer for name, layer in net.layers.items())
    assert all(other.params[name] is array for name, array in net.params.items())


def test_winograd_has_too_few_bits_for_float16():
    net = tiny.network()
    running = for_device(net, CPU, "winograd", (8, 8, 3), 1, "float16")
    assert isinstance(running, Half)
    assert "Winograd" not in repr(vars(running.worker))
    plain = for_cpu(twin(net, CPU), "sliced", (8, 8, 3))
    assert repr(running.worker) == repr(plain)


# ---------------------------------------------------------------- training


def small_shapes() -> Dataset:
    """The built-in drawings at a quarter of their size."""
    data = shapes(train=600, test=300)
    train_, test_ = (
        Split(np.ascontiguousarray(split.images[:, ::4, ::4]), split.labels)
        for split in (data.train, data.test)
    )
    mean = train_.images.mean(axis=0, dtype=np.float64).astype(np.float32)
    return Dataset(train_, test_, data.classes, mean, data.source, None)


def trained(data, precision, there=CPU, **numbers):
    """The losses of all steps, and where it ended."""
    usual = {"epochs": 2, "batch": 8, "scale": (1 / 64,), "rate": 0.02, "schedule": "constant"}
    recipe = Recipe(precision=precision, **usual | numbers)
    net = tiny.network(len(data.classes))
    net.params = {name: there.put(array) for name, array in net.params.items()}
    sgd, progress = recipe.optimiser(), Progress()
    running = for_device(net, there, "plain", (8, 8, 3), 1, precision, scaling_of(sgd))
    losses = [x for some in train(running, sgd, data, recipe, there, progress) for x in some]
    return np.array(losses), progress, net


def test_a_network_reaches_nearly_the_same_error_on_shapes():
    data = small_shapes()
    numbers = {"epochs": 4, "batch": 10, "rate": 0.03}
    _, exactly, _ = trained(data, "float32", **numbers)
    _, nearly, _ = trained(data, "float16", **numbers)
    (expected, error) = (run.history[-1]["test_error"] for run in (exactly, nearly))
    assert expected < 0.75
    assert abs(error - expected) <= 0.04
    assert nearly.history[-1]["loss"] == pytest.approx(exactly.history[-1]["loss"], rel=0.02)


def test_losses_in_float16_are_near_those_in_float32_and_not_the_same():
    data = tiny.dataset(train=40, size=8)
    exactly, *_ = trained(data, "float32")
    for there in (CPU, strict.device()):
        nearly, progress, net = trained(data, "float16", there)
        np.testing.assert_allclose(nearly, exactly, rtol=0.02)
        assert (nearly != exactly).any()
        assert progress.skipped == 0
        assert {array.dtype for array in net.params.values()} == {np.dtype(np.float32)}


def test_float32_has_nothing_of_it():
    data = tiny.dataset(train=16, size=8)
    _, progress, _ = trained(data, "float32")
    assert (progress.scale, progress.good, progress.skipped) == (0, 0, 0)
    assert "skipped" not in progress.history[-1]
    assert scaling_of(Recipe().optimiser()) is None


# ---------------------------------------------------------------- TF32


@pytest.mark.parametrize("there", [CPU, strict.device()], ids=["cpu", "strict"])
def test_tf32_needs_a_gpu(there):
    with pytest.raises(InputError) as error:
        prepare("tf32", there)
    assert str(error.value) == (
        f'precision tf32 is how a GPU multiplies: it needs --device cuda, got "{there.name}"'
    )
    for other in ("float32", "float16"):
        prepare(other, there)


@pytest.fixture
def gpu(monkeypatch):
    """A CuPy with a GPU of compute capability 9.0, and what its products were set to."""
    products = ModuleType("cupy._core._routines_linalg")
    products.COMPUTE_TYPE_DEFAULT, products.COMPUTE_TYPE_TF32 = 1, 7
    core, cupy = ModuleType("cupy._core"), ModuleType("cupy")
    found = SimpleNamespace(set=[], capability="90")
    core.set_compute_type = lambda dtype, kind: found.set.append((dtype, kind))
    core._routines_linalg = products
    cupy._core = core
    cupy.cuda = SimpleNamespace(Device=lambda: SimpleNamespace(compute_capability=found.capability))
    for module in (cupy, core, products):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    found.device = SimpleNamespace(name="cuda:1")
    return found


@pytest.mark.parametrize(("precision", "kind"), [("float32", 1), ("tf32", 7), ("float16", 1)])
def test_a_gpu_is_told_how_to_multiply_float32(gpu, precision, kind):
    prepare(precision, gpu.device)
    assert gpu.set == [(np.float32, kind)]


def test_a_gpu_before_ampere_has_no_tf32(gpu):
    gpu.capability = "75"
    with pytest.raises(InputError) as error:
        prepare("tf32", gpu.device)
    assert str(error.value) == (
        "precision tf32 needs a GPU of compute capability 8.0, this one has 7.5: use float32 or "
        "float16"
    )
    prepare("float32", gpu.device)
    assert gpu.set == [(np.float32, 1)]


def test_the_installed_cupy_has_that_switch():
    cupy = pytest.importorskip("cupy")
    from cupy._core import _routines_linalg as products

    assert callable(cupy._core.set_compute_type)
    assert products.COMPUTE_TYPE_TF32 != products.COMPUTE_TYPE_DEFAULT
    if not cupy.is_available():
        # What needs no driver: float32 without TF32.
        cupy._core.set_compute_type(np.float32, products.COMPUTE_TYPE_DEFAULT)
        assert products.get_compute_type(np.float32) == products.COMPUTE_TYPE_DEFAULT


# ---------------------------------------------------------------- what is refused


def test_an_unknown_precision():
    with pytest.raises(InputError, match="precision should be one of float32, tf32, float16"):
        Recipe(precision="bfloat16")


def test_a_twin_has_layers_of_its_own_within_towers_too():
    net = Network({"norm": LocalResponseNorm(), "two": Parallel({"a": ReLU(), "b": AveragePool()})})
    other = twin(net, CPU)
    assert isinstance(other.layers["norm"], InFloat32)
    assert isinstance(other.layers["two"].layers["b"], InFloat32)
    assert isinstance(other.layers["two"].layers["a"], ReLU)
    assert isinstance(net.layers["norm"], LocalResponseNorm)
