"""What it is measured on."""

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec

from minialexnet import __version__, processor
from minialexnet.backend import Device, on_gpu
from minialexnet.machine import cuda_version, driver, gpu


def machine(place: Device) -> dict[str, str]:
    """The machine, the driver and the versions, in words."""
    found = {
        "name": "the CPU",
        "date": datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC").lstrip("0"),
        "minialexnet": __version__,
        "Python": platform.python_version(),
        "system": platform.platform(terse=True),
        "processors": str(processor.threads()),
        "NumPy": version("numpy"),
        "PyTorch": torch_version(place),
    }
    return found | (_gpu(place) if on_gpu(place.name) else {})


def _gpu(place: Device) -> dict[str, str]:
    import cupy

    runtime = cupy.cuda.runtime
    found = gpu(cupy, cupy.cuda.Device().id)
    return {
        "name": found["name"],
        "memory": f"{found['memory'] / 2**30:,.0f} GiB",
        "compute capability": found["capability"],
        "GPUs": str(runtime.getDeviceCount()),
        "driver": driver() or "unknown",
        "CUDA of the driver": cuda_version(runtime.driverGetVersion()) or "unknown",
        "CUDA of CuPy": cuda_version(runtime.runtimeGetVersion()) or "unknown",
        "CuPy": cupy.__version__,
    }


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
