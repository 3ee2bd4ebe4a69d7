"""Where arrays live: which module owns them, and which devices there are."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from minialexnet import strict
from minialexnet.backend import device, namespace
from minialexnet.errors import InputError

# ------------------------------------------------------------------------------------ namespace


def test_namespace_is_the_module_of_the_arrays():
    x = np.zeros((2, 3))
    assert namespace(x) is np
    assert namespace(x, x.astype(np.int64), x[0], np.array(1.0)) is np
    assert namespace(strict.asarray(x), strict.asarray(x)) is strict


@pytest.mark.parametrize(
    ("stranger", "name"),
    [
        ([1.0, 2.0], "list"),
        ((1.0,), "tuple"),
        (1.0, "float"),
        (None, "NoneType"),
        (np.float32(1), "float32"),
        ("array", "str"),
    ],
)
def test_namespace_refuses_what_is_no_array(stranger, name):
    with pytest.raises(TypeError, match=f"expected a NumPy or CuPy array, got {name}$"):
        namespace(stranger)
    with pytest.raises(TypeError, match=f"expected a NumPy or CuPy array, got {name}$"):
        namespace(np.zeros(2), stranger)


def test_namespace_refuses_arrays_of_two_devices():
    x = np.zeros(2)
    message = "expected arrays of one device, got arrays of numpy and strict"
    for mixture in ([x, strict.asarray(x)], [strict.asarray(x), x]):
        with pytest.raises(TypeError, match=message):
            namespace(*mixture)


# --------------------------------------------------------------------------------------- device


def test_the_cpu_copies_nothing():
    cpu = device()
    x = np.zeros(3)
    assert cpu.name == "cpu"
    assert cpu.put(x) is x
    assert cpu.get(x) is x


@pytest.mark.parametrize(
    "name", ["gpu", "", "CPU", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "cuda:²"]
)
def test_unknown_devices(name):
    with pytest.raises(InputError) as error:
        device(name)
    assert str(error.value) == f'unknown device "{name}": expected cpu, cuda or cuda:N'


def test_cuda_without_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(InputError) as error:
        device("cuda")
    assert str(error.value) == (
        'device "cuda" needs CuPy, which is not installed: pip install "cupy-cuda13x[ctk]" '
        'for CUDA 13 or "cupy-cuda12x[ctk]" for CUDA 12'
    )


def test_cuda_with_a_cupy_that_cannot_be_imported(monkeypatch, tmp_path):
    (tmp_path / "cupy.py").write_text("raise ImportError('libcudart.so.13: cannot open')")
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError) as error:
        device("cuda")
    assert str(error.value) == (
        'device "cuda": CuPy is installed but cannot be imported '
        "(libcudart.so.13: cannot open); reinstall it"
    )


class Product:
    """What a GPU makes of a kernel: something that can be multiplied and summed."""

    def __init__(self, product=None):
        self.product = product

    def __add__(self, one):
        return self

    def __matmul__(self, other):
        if self.product:
            raise self.product
        return np.full((2, 2), 8.0)


@pytest.fixture
def cupy(monkeypatch):
    """A CuPy on a machine with two GPUs, each step of which can be made to fail."""
    module = ModuleType("cupy")
    module.selected = []
    module.float32 = np.float32
    module.is_available = lambda: True
    module.ones = lambda shape, dtype: Product()
    module.asarray, module.asnumpy = object(), object()
    module.cuda = SimpleNamespace(
        runtime=SimpleNamespace(getDeviceCount=lambda: 2),
        Device=lambda number: SimpleNamespace(use=lambda: module.selected.append(number)),
    )
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


def failing(error):
    def fail(*args):
        raise error

    return fail


@pytest.mark.parametrize(("name", "number"), [("cuda", 0), ("cuda:0", 0), ("cuda:1", 1)])
def test_cuda_selects_the_gpu_and_moves_arrays_by_cupy(cupy, name, number):
    gpu = device(name)
    assert (gpu.name, gpu.put, gpu.get) == (name, cupy.asarray, cupy.asnumpy)
    assert cupy.selected == [number]


def test_cuda_without_a_gpu(cupy):
    cupy.is_available = lambda: False
    with pytest.raises(InputError) as error:
        device("cuda")
    assert str(error.value) == (
        'device "cuda": CuPy is installed but finds no usable NVIDIA GPU; '
        "install the NVIDIA driver, or check with nvidia-smi that it sees the GPU"
    )


def test_a_gpu_that_is_not_there(cupy):
    with pytest.raises(InputError) as error:
        device("cuda:2")
    assert str(error.value) == 'device "cuda:2": this machine has GPUs 0 to 1'
    assert cupy.selected == []


def break_selection(cupy, error):
    cupy.cuda.Device = failing(error)


def break_kernel(cupy, error):
    cupy.ones = failing(error)


def break_product(cupy, error):
    cupy.ones = lambda shape, dtype: Product(error)


def test_a_gpu_whose_memory_is_full(cupy):
    break_kernel(cupy, MemoryError("Out of memory allocating 512 bytes"))
    with pytest.raises(InputError) as error:
        device("cuda")
    assert str(error.value) == (
        'device "cuda": compiling and running a kernel (NVRTC) failed (Out of memory allocating '
        "512 bytes); its memory is full, nvidia-smi says of what (CUPY_GPU_MEMORY_LIMIT may hold "
        "it down too)"
    )


@pytest.mark.parametrize(
    ("step", "breaking"),
    [
        ("selecting the GPU", break_selection),
        ("compiling and running a kernel (NVRTC)", break_kernel),
        ("a matrix product (cuBLAS)", break_product),
    ],
)
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ImportError("libnvrtc.so.13: cannot open\nmore lines"), "libnvrtc.so.13: cannot open"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_the_step_that_fails_is_named_with_its_cure(cupy, step, breaking, error, reason):
    breaking(cupy, error)
    with pytest.raises(InputError) as refusal:
        device("cuda:1")
    assert str(refusal.value) == (
        f'device "cuda:1": {step} failed ({reason}); reinstall CuPy with its libraries: '
        'pip install "cupy-cuda13x[ctk]" or "cupy-cuda12x[ctk]"'
    )
    assert refusal.value.__cause__ is error
