"""minialexnet info says what there is, on any machine, and why a device cannot be used."""

import json
import platform
import sys
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import minialexnet
from minialexnet import machine, processor
from minialexnet.__main__ import main


class CUDARuntimeError(RuntimeError):
    """What CuPy raises, which is no OSError."""


def failing(*given):
    raise CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient")


@pytest.fixture
def cupy(monkeypatch):
    """A CuPy of its own, on a machine with two GPUs."""
    module = ModuleType("cupy")
    module.__version__ = "14.2.0"
    names = [b"NVIDIA H200", b"NVIDIA T4"]
    current = []

    def device(number):
        current.append(number)
        context = nullcontext()
        context.use = lambda: None
        return context

    module.cuda = SimpleNamespace(
        runtime=SimpleNamespace(
            getDeviceCount=lambda: 2,
            getDeviceProperties=lambda device: {
                "name": names[device],
                "major": 9 - 2 * device,
                "minor": 5 * device,
                "totalGlobalMem": 10**9,
            },
            memGetInfo=lambda: ((100 - current[-1]) * 10**9, 150 * 10**9),
            driverGetVersion=lambda: 13010,
            runtimeGetVersion=lambda: 13000,
        ),
        Device=device,
    )
    module.float32 = np.float32
    module.is_available = lambda: True
    module.ones = np.ones
    module.asarray, module.asnumpy = np.asarray, np.asarray
    monkeypatch.setitem(sys.modules, "cupy", module)
    monkeypatch.setattr(machine, "WHEELS", ())
    return module


def told(capsys, *words):
    assert main(["info", *words]) == 0
    return capsys.readouterr().out


def as_json(capsys):
    return json.loads(told(capsys, "--json"))


def test_versions_processors_memory_and_blas(capsys):
    found = as_json(capsys)
    assert found["versions"]["minialexnet"] == minialexnet.__version__
    assert found["versions"]["Python"] == platform.python_version()
    assert found["versions"]["NumPy"] == np.__version__
    assert found["processor"]["usable"] == processor.threads() >= 1
    assert found["processor"]["count"] >= found["processor"]["usable"]
    assert found["memory"] is None or 10**8 < found["memory"] < 10**14
    assert all(blas["threads"] >= 1 and blas["name"] for blas in found["blas"])
    assert found["devices"]["cpu"] == ""


def test_gpus_are_listed_with_what_they_are(cupy, capsys):
    found = as_json(capsys)
    assert found["versions"]["CuPy"] == "14.2.0"
    assert found["cuda"] == {"driver": "13.1", "runtime": "13.0"}
    assert found["gpus"] == [
        {
            "device": "cuda:0",
            "name": "NVIDIA H200",
            "memory": 150 * 10**9,
            "free": 100 * 10**9,
            "capability": "9.0",
        },
        {
            "device": "cuda:1",
            "name": "NVIDIA T4",
            "memory": 150 * 10**9,
            "free": 99 * 10**9,
            "capability": "7.5",
        },
    ]
    assert found["devices"] == {"cpu": "", "cuda:0": "", "cuda:1": ""}
    said = told(capsys)
    assert "cuda:1       NVIDIA T4, 150.0 GB (99.0 free), compute capability 7.5\n" in said
    assert "--device     cuda:1 can be used\n" in said
    assert "CUDA         13.0, of CuPy\n" in said


def test_a_gpu_that_cannot_be_used_is_listed_with_the_reason(cupy, capsys):
    def ones(*given):
        raise ImportError("libnvrtc.so.13: cannot open")

    cupy.ones = ones
    found = as_json(capsys)
    assert len(found["gpus"]) == 2
    reason = 'device "cuda:1": compiling and running a kernel (NVRTC) failed (libnvrtc.so.13: '
    assert found["devices"]["cuda:1"].startswith(reason)
    assert reason in told(capsys)


def test_cupy_without_a_driver(cupy, capsys):
    cupy.is_available = lambda: False
    cupy.cuda.runtime.getDeviceCount = failing
    cupy.cuda.runtime.driverGetVersion = lambda: 0
    found = as_json(capsys)
    assert found["gpus"] == []
    assert found["cuda"] == {"driver": None, "runtime": "13.0"}
    assert "finds no usable NVIDIA GPU" in found["devices"]["cuda"]
    assert "finds no usable NVIDIA GPU" in told(capsys)


def test_a_cupy_that_cannot_say_anything(cupy, capsys):
    cupy.is_available = lambda: False
    for name in vars(cupy.cuda.runtime):
        setattr(cupy.cuda.runtime, name, failing)
    found = as_json(capsys)
    assert (found["gpus"], found["cuda"]) == ([], {"driver": None, "runtime": None})


def test_without_cupy(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cupy", None)
    found = as_json(capsys)
    assert found["versions"]["CuPy"] is None
    assert found["gpus"] == []
    assert found["devices"]["cuda"].startswith('device "cuda" needs CuPy, which is not installed')
    said = told(capsys)
    assert "CuPy         not installed\n" in said
    assert 'device "cuda" needs CuPy' in said


def test_the_driver_says_its_number(tmp_path):
    path = tmp_path / "version"
    path.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 2025\n")
    assert machine.driver(path) == "580.65.06"
    path.write_text("something else\n")
    assert machine.driver(path) is None
    assert machine.driver(tmp_path / "none") is None


def test_what_the_system_does_not_say(monkeypatch, capsys):
    monkeypatch.setattr(processor, "memory", lambda: None)
    monkeypatch.setattr(machine, "_blas", list)
    said = told(capsys)
    assert "memory       unknown\n" in said
    assert "BLAS         none that threadpoolctl knows\n" in said


def test_fewer_processors_than_there_are(monkeypatch, capsys):
    monkeypatch.setattr(processor, "count", lambda: 64)
    monkeypatch.setattr(processor, "threads", lambda: 3)
    assert ", 64 processors, 3 of them usable\n" in told(capsys)


def test_the_installed_cupy_has_what_is_asked_of_it():
    cupy = pytest.importorskip("cupy")
    runtime = cupy.cuda.runtime
    for name in ("getDeviceProperties", "memGetInfo", "driverGetVersion", "runtimeGetVersion"):
        assert callable(getattr(runtime, name))
    assert machine.facts()["versions"]["CuPy"].startswith(cupy.__version__)
