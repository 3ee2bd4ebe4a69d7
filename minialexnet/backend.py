"""Where arrays live: on the host in NumPy, or on a GPU in CuPy.

Layers never choose a device. They ask the array they are handed for the module that owns it
(`namespace`) and go on in that module, so the same lines run on both. Only programs (train,
evaluate, ...) create a `Device` and move arrays through it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from minialexnet.errors import InputError

# The compute capability, times ten, that TF32 came with: Ampere.
TF32 = 80


def namespace(*arrays: Any) -> ModuleType:
    """The module that owns all the arrays: `numpy` or `cupy`.

    Raises
    ------
    TypeError
        For anything that is no array (lists and NumPy scalars too) and for arrays of two devices.
    """
    owners = {_owner(array) for array in arrays}
    if len(owners) != 1:
        names = sorted(module.__name__.rpartition(".")[2] for module in owners)
        raise TypeError(f"expected arrays of one device, got arrays of {' and '.join(names)}")
    return owners.pop()


def _owner(array: Any) -> ModuleType:
    if isinstance(array, np.ndarray):
        return np
    # CuPy 14 has no __array_namespace__, so the array's type has to say where it comes from.
    home = type(array).__module__
    for name in (home.partition(".")[0], home):
        module = sys.modules.get(name)
        if getattr(module, "ndarray", None) is type(array):
            return module
    raise TypeError(f"expected a NumPy or CuPy array, got {type(array).__name__}")


@dataclass(frozen=True)
class Device:
    """A place for arrays: `put` brings a host array there, `get` brings one back to the host.

    `pinned` makes the buffers through which batches of a shape get there while it computes
    (`minialexnet.pinned`); None where there is nothing to gain.
    """

    name: str
    put: Callable[[np.ndarray], Any]
    get: Callable[[Any], np.ndarray]
    pinned: Callable[[tuple[int, ...]], Any] | None = None


def device(name: str = "cpu") -> Device:
    """The device of that name: "cpu", "cuda" (the first GPU) or "cuda:N".

    Raises
    ------
    InputError
        If there is no such device here; the message names the step that failed and its cure.
    """
    if name == "cpu":
        return Device("cpu", np.asarray, np.asarray)
    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number.isdecimal() or name == "cuda"):
        raise InputError(f'unknown device "{name}": expected cpu, cuda or cuda:N')
    return _cuda(name, int(number or 0))


def on_gpu(name: str) -> bool:
    """Whether a device of that name is a GPU."""
    return name.partition(":")[0] == "cuda"


def fetched(numbers, device: Device) -> list:
    """Arrays of a single number each, of the device, as Python's own numbers, in one transfer."""
    numbers = [number.reshape(1) for number in numbers]
    return device.get(namespace(*numbers).concatenate(numbers)).tolist()


def gpu_of(local_rank: int) -> str:
    """The name of the GPU for one of the processes of this machine, counted from 0.

    Slurm shows each process its own GPU alone: that one is number 0 for all of them.
    """
    device("cuda")
    import cupy

    return f"cuda:{local_rank % cupy.cuda.runtime.getDeviceCount()}"


def _cuda(name: str, number: int) -> Device:
    try:
        import cupy
    except ModuleNotFoundError as error:
        raise InputError(
            f'device "{name}" needs CuPy, which is not installed: '
            'pip install "cupy-cuda13x[ctk]" for CUDA 13 or "cupy-cuda12x[ctk]" for CUDA 12'
        ) from error
    except ImportError as error:
        raise InputError(
            f'device "{name}": CuPy is installed but cannot be imported ({_first_line(error)}); '
            "reinstall it"
        ) from error
    # Importing CuPy succeeds without a driver; only running something proves that a GPU works.
    if not cupy.is_available():
        raise InputError(
            f'device "{name}": CuPy is installed but finds no usable NVIDIA GPU; '
            "install the NVIDIA driver, or check with nvidia-smi that it sees the GPU"
        )
    count = cupy.cuda.runtime.getDeviceCount()
    if number >= count:
        raise InputError(f'device "{name}": this machine has GPUs 0 to {count - 1}')
    step = "selecting the GPU"
    try:
        cupy.cuda.Device(number).use()
        step = "compiling and running a kernel (NVRTC)"
        ones = cupy.ones((2, 2), cupy.float32) + 1
        step = "a matrix product (cuBLAS)"
        float((ones @ ones).sum())
    except MemoryError as error:
        raise InputError(
            f'device "{name}": {step} failed ({_first_line(error)}); its memory is full, '
            "nvidia-smi says of what (CUPY_GPU_MEMORY_LIMIT may hold it down too)"
        ) from error
    except Exception as error:  # CuPy raises a dozen kinds, some of them ImportError
        raise InputError(
            f'device "{name}": {step} failed ({_first_line(error)}); reinstall CuPy with its '
            'libraries: pip install "cupy-cuda13x[ctk]" or "cupy-cuda12x[ctk]"'
        ) from error
    return Device(name, cupy.asarray, cupy.asnumpy, _pinned)


def _pinned(shape: tuple[int, ...]):
    import cupy
    import cupyx

    from minialexnet.pinned import Pinned

    return Pinned(shape, cupy, cupyx)


def use_tf32(wanted: bool) -> None:
    """Let the GPU's products of float32 matrices keep 11 bits of each factor, or all 24.

    Raises
    ------
    InputError
        If this GPU has no TF32.
    """
    import cupy
    from cupy._core import _routines_linalg as products

    capability = int(cupy.cuda.Device().compute_capability)
    if wanted and capability < TF32:
        raise InputError(
            f"precision tf32 needs a GPU of compute capability {TF32 / 10}, this one has "
            f"{capability / 10}: use float32 or float16"
        )
    # CUPY_TF32 would come too late: CuPy reads it at the first product, which was device()'s.
    kind = products.COMPUTE_TYPE_TF32 if wanted else products.COMPUTE_TYPE_DEFAULT
    cupy._core.set_compute_type(np.float32, kind)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
