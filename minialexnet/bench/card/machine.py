"""What it is measured on."""

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec

from minialexnet import __version__
from minialexnet.backend import Device
from minialexnet.bench.clock import on_gpu


def machine(place: Device) -> dict[str, str]:
    """The machine, the driver and the versions, in words."""
    found = {
        "name": "the CPU",
        "date": datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0"),
        "minialexnet": __version__,
        "Python": platform.python_version(),
        "system": platform.platform(terse=True),
        "processors": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0),
        "NumPy": version("numpy"),
        "PyTorch": torch_version(place),
    }
    return found | (_gpu(place) if on_gpu(place.name) else {})


def _gpu(place: Device) -> dict[str, str]:
    import cupy

    runtime, number = cupy.cuda.runtime, cupy.cuda.Device().id
    about = runtime.getDeviceProperties(number)
    name = about["name"]
    return {
        "name": name.decode() if isinstance(name, bytes) else str(name),
        "memory": f"{about['totalGlobalMem'] / 2**30:,.0f} GiB",
        "compute capability": f"{about['major']}.{about['minor']}",
        "GPUs": str(runtime.getDeviceCount()),
        "driver": driver(),
        "CUDA of the driver": _cuda(runtime.driverGetVersion()),
        "CUDA of CuPy": _cuda(runtime.runtimeGetVersion()),
        "CuPy": cupy.__version__,
    }


def driver(path: str = "/proc/driver/nvidia/version") -> str:
    """The number of NVIDIA's driver, or "unknown"."""
    try:
        with open(path) as file:
            found = re.search(r"\b(\d{3}\.[\d.]+)\b", file.read())
    except OSError:
        found = None
    return found[1] if found else "unknown"


def _cuda(number: int) -> str:
    """13.0 of 13000."""
    return f"{number // 1000}.{number % 1000 // 10}"


# What PyTorch says of itself; its libraries and CuPy's stay in processes of their own.
ASKED = """
import torch
if torch.cuda.is_available():
    print(f"{torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}")
else:
    print(f"{torch.__version__}, which finds no GPU: not compared with")
"""


def torch_version(place: Device) -> str:
    """PyTorch's version, or why it is not compared with."""
    if find_spec("torch") is None:
        return "not installed: not compared with"
    if not on_gpu(place.name):
        return version("torch")
    words = [sys.executable, "-c", ASKED]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["its process ended"])[-1]
        return f"cannot be imported ({last}): not compared with"
    return done.stdout.strip()


def torch_usable(about: dict[str, str]) -> bool:
    """Whether PyTorch can be compared with, by what `machine` found."""
    return "not compared with" not in about["PyTorch"]


def slug(name: str) -> str:
    """A GPU's name as part of a file's: nvidia-h200 of "NVIDIA H200"."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def command() -> str:
    """The words that this was started with."""
    words = [os.path.basename(sys.executable), *sys.orig_argv[1:]]
    return " ".join(words)
