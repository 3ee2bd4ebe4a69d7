"""What this computer is, and what of it can be used: for `minialexnet info` and for reports."""

import platform
import re
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType

import numpy as np

from minialexnet import __version__, processor
from minialexnet.backend import device
from minialexnet.errors import InputError

# Distributions that hold CuPy.
WHEELS = ("cupy-cuda13x", "cupy-cuda12x", "cupy")


def facts() -> dict:
    """All that is known, in a form for JSON.

    Returns
    -------
    versions : {what: version}; CuPy's is None where it is not installed
    system : words about the operating system
    processor : {name, count, usable}: processors, and those that this process may use
    memory : bytes, None where it is not known
    blas : [{name, version, threads}], the libraries that multiply matrices for NumPy
    gpus : [{device, name, memory, free, capability}] bytes, as far as CuPy sees any
    driver : the number of NVIDIA's driver, None without
    cuda : {driver, runtime}, the newest CUDA that the driver knows, and CuPy's; None where there
        is none
    devices : {name: ""}, or why it cannot be used
    """
    cupy = _cupy()
    gpus, cuda = _gpus(cupy)
    names = ["cpu", *(gpu["device"] for gpu in gpus)] if gpus else ["cpu", "cuda"]
    return {
        "versions": {
            "minialexnet": __version__,
            "Python": platform.python_version(),
            "NumPy": np.__version__,
            "CuPy": _wheel(cupy) if cupy is not None else None,
        },
        "system": platform.platform(),
        "processor": {
            "name": processor.name(),
            "count": processor.count(),
            "usable": processor.threads(),
        },
        "memory": processor.memory(),
        "blas": _blas(),
        "gpus": gpus,
        "driver": driver(),
        "cuda": cuda,
        "devices": {name: _refusal(name) for name in names},
    }


def _wheel(cupy: ModuleType) -> str:
    for name in WHEELS:
        try:
            return f"{version(name)} ({name})"
        except PackageNotFoundError:
            continue
    return cupy.__version__


def _blas() -> list[dict]:
    from threadpoolctl import threadpool_info

    return [
        {
            "name": one["internal_api"],
            "version": one.get("version"),
            "threads": one["num_threads"],
        }
        for one in threadpool_info()
        if one["user_api"] == "blas"
    ]


def _cupy() -> ModuleType | None:
    try:
        import cupy
    except ImportError:
        return None
    return cupy


def _gpus(cupy: ModuleType | None) -> tuple[list[dict], dict]:
    """The GPUs, and which CUDA there is; as much of it as can be found out."""
    cuda = {"driver": None, "runtime": None}
    if cupy is None:
        return [], cuda
    runtime = cupy.cuda.runtime
    try:
        cuda["runtime"] = cuda_version(runtime.runtimeGetVersion())
        cuda["driver"] = cuda_version(runtime.driverGetVersion())
        return [gpu(cupy, number) for number in range(runtime.getDeviceCount())], cuda
    except Exception:  # without a driver, or with one too old, CuPy raises errors of its own
        return [], cuda


def driver(path: str = "/proc/driver/nvidia/version") -> str | None:
    """The number of NVIDIA's driver; None without."""
    try:
        with open(path) as file:
            found = re.search(r"\b\d{3}\.[\d.]+\b", file.read())
    except OSError:
        return None
    return found[0] if found else None


def gpu(cupy: ModuleType, number: int) -> dict:
    """{device, name, memory, free, capability} of a GPU; memory in bytes."""
    found = cupy.cuda.runtime.getDeviceProperties(number)
    with cupy.cuda.Device(number):
        free, memory = cupy.cuda.runtime.memGetInfo()
    return {
        "device": f"cuda:{number}",
        "name": found["name"].decode(),
        "memory": memory,
        "free": free,
        "capability": f"{found['major']}.{found['minor']}",
    }


def cuda_version(number: int) -> str | None:
    """13000 is version 13.0; 0 says that there is none."""
    return f"{number // 1000}.{number % 1000 // 10}" if number else None


def _refusal(name: str) -> str:
    try:
        device(name)
    except InputError as error:
        return str(error)
    return ""
