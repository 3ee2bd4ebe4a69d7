"""The report of a GPU: every measurement runs, here on a CPU and small; every page is made."""

import json
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tiny
from accelerators import on_each_accelerator

from minialexnet import networks
from minialexnet.backend import Device, device
from minialexnet.bench.card import machine, measure, speed, targets
from minialexnet.bench.card.__main__ import main
from minialexnet.bench.card.measure import all_tests
from minialexnet.bench.card.page import page
from minialexnet.bench.card.parity import apart, layers_apart, steps_apart
from minialexnet.bench.card.plan import Plan
from minialexnet.bench.card.repeat import repeated
from minialexnet.bench.turns import result
from minialexnet.errors import InputError

CPU = device("cpu")
ROOT = Path(__file__).parents[1]
SMALL = Plan(
    networks=("mini",),
    precisions=("float32",),
    batches=(4, 6),
    rounds=2,
    steps=1,
    against=False,
    layers_batch=2,
    repeats=1,
    side=32,
    copied=2**16,
    parity=("mini",),
    parity_batch=2,
    training="mini",
    training_batch=4,
    training_steps=3,
    pictures=24,
    picture_size=40,
    loop_steps=3,
    warm=1,
    epochs=1,
    tests=False,
)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The whole command with small sizes on a CPU: its exit code, the folder, and what it said."""
    folder = tmp_path_factory.mktemp("card")
    cifar10 = tiny.prepared(folder / "cifar10", train=20, test=10, classes=10)
    words = ["--device", "cpu", "--out", str(folder / "out"), "--cifar10", str(cifar10)]
    return main(words, SMALL), folder / "out"


def test_a_whole_report_is_measured_and_written(measured):
    code, folder = measured
    assert sorted(path.name for path in folder.iterdir()) == ["gpu-the-cpu.json", "gpu-the-cpu.md"]
    report = json.loads((folder / "gpu-the-cpu.json").read_text())
    failed = [name for name, one in report.items() if isinstance(one, dict) and "error" in one]
    assert failed == []
    assert max(report["layers_apart"].values()) == max(report["steps_apart"].values()) == 0
    assert report["repeat"] == {"steps": 3, "first_difference": "", "layers": []}
    assert [row["batch"] for row in report["steps"]] == [4, 6]
    assert all(row["images_per_s"] > 0 for row in report["steps"])
    assert report["limits"].keys() == {"float32", "copying"}
    layers = [row["layer"] for row in report["layers"][0]["rows"]]
    assert layers == list(networks.mini(np.random.default_rng(0)).layers)
    assert report["loops"][0]["images_per_s"] > 0
    assert report["cifar"]["epochs"] == 1
    # What a CPU cannot do is not met, and the command says so.
    assert code == 1
    met = {one["work"]: one["met"] for one in report["targets"]}
    assert met["every layer, float32, against NumPy"] is True
    assert met["the same seed twice"] is True
    assert met["the paper's network, training, TF32"] is None
    assert met["`cifar_18pct` to its published error"] is False


def test_its_page_has_every_section(measured):
    text = (measured[1] / "gpu-the-cpu.md").read_text()
    for title in ("# On the CPU", "does at most", "Training steps", "whole loop", "Layers of mini"):
        assert title in text
    assert "could not be measured" not in text


# ---------------------------------------------------------------- correct, and repeatable


@on_each_accelerator
def test_an_accelerator_is_compared_with_numpy(on):
    limit = 0 if on.name == "strict" else 1e-3
    layers, steps = layers_apart(on, SMALL), steps_apart(on, SMALL)
    assert {"mini conv1 dweight", "mini fc8 dx", "mini pool1 y in evaluation"} <= layers.keys()
    assert {"loss", "conv1.weight", "fc8.bias"} <= steps.keys()
    assert max(layers.values()) <= limit
    assert max(steps.values()) <= limit
    assert repeated(on, SMALL) == {"steps": 3, "first_difference": "", "layers": []}


def test_a_device_that_calculates_otherwise_is_noticed():
    wrong = Device("wrong", np.asarray, lambda array: np.asarray(array) * np.float32(1.01))
    assert min(layers_apart(wrong, SMALL).values()) == pytest.approx(0.01, rel=0.01)
    assert min(steps_apart(wrong, SMALL).values()) > 0.005


def test_a_device_that_never_gives_the_same_twice_is_named():
    rng = np.random.default_rng(0)
    restless = Device(
        "restless", np.asarray, lambda array: np.asarray(array) + np.float32(rng.random())
    )
    found = repeated(restless, SMALL)
    assert found["first_difference"] == "step 1, loss"
    assert "mini conv1 dweight" in found["layers"]


def test_differences_are_shares_of_the_largest_number():
    assert apart(np.array([1.0, 4.5]), np.array([1.0, 5.0])) == pytest.approx(0.1)
    assert apart(np.zeros(2), np.zeros(2)) == 0
    assert apart(np.ones(2), np.zeros(2)) == 1


# ---------------------------------------------------------------- targets and the page


def step_of(network, precision, batch, speed, ratio=None):
    row = {"network": network, "precision": precision, "batch": batch, "images_per_s": speed}
    row |= {"memory": 5e9, "peak": 3e14, "share_of_peak": 0.4}
    if ratio:
        row |= {"torch": "PyTorch, channels last", "torch_images_per_s": speed / ratio}
        row |= {"torch_memory": 4e9, "ratio": ratio, "ratio_lowest": 0.9, "ratio_highest": 2.0}
    return row


def fake() -> dict:
    """What a GPU might have brought."""
    layer = {"layer": "conv1", "images": 256, "forward": 1.5, "backward": 3.0}
    layer |= {"share_of_peak": 0.5, "share_of_copy": 0.25, "multiply_adds": 10}
    pool = layer | {"layer": "pool1", "multiply_adds": 0}
    loop = {"images_per_s": 19_000.0, "bare_images_per_s": 20_000.0, "share": 0.95, "hours": 1.7}
    loop |= {"network": "alexnet", "precision": "tf32", "batch": 256, "waited": 0.01, "steps": 300}
    return {
        "machine": {"name": "NVIDIA Imaginary | 1", "driver": "580.1", "date": "today"},
        "command": "python -m minialexnet.bench.card",
        "layers_apart": {"alexnet conv1 y": 3e-6, "alexnet fc8 dx": 9e-5},
        "steps_apart": {"loss": 2e-3},
        "repeat": {"steps": 50, "first_difference": "", "layers": []},
        "steps": [
            step_of("alexnet", "tf32", 128, 15_000.0, 1.1),
            step_of("alexnet", "tf32", 256, 20_000.0, 1.2),
            step_of("one_tower", "tf32", 128, 20_000.0, 0.8),
            step_of("alexnet", "float16", 128, 30_000.0),
            step_of("one_tower", "float16", 128, 9_000.0),
            {"network": "alexnet", "precision": "tf32", "batch": 1024, "error": "out of memory"},
        ],
        "limits": {"tf32": 2.5e14, "float16": 4e14, "copying": 3.8e12},
        "layers": [
            {"network": "alexnet", "precision": "tf32", "batch": 256, "rows": [layer, pool]}
        ],
        "loops": [loop],
        "cifar": {"test_error": 0.181, "seconds": 40.0, "epochs": 140},
        "tests": {"summary": "3 passed", "passed": True, "failed": []},
    }


def met(report) -> dict:
    return {row.work: row.met for row in targets.rows(report)}


def test_targets_are_met_or_not():
    found = met(fake())
    assert found == {
        "every layer, float32, against NumPy": True,
        "50 training steps, float32, against NumPy": False,
        "the paper's network, training, TF32": True,
        "torchvision's variant, training, TF32": False,
        "the paper's network, training, float16": None,
        "torchvision's variant, training, float16": False,
        "full loop with prepared 256 x 256 data, augmentation, log": True,
        "90 epochs of ImageNet, from the measured loop": True,
        "`cifar_18pct` to its published error": True,
        "the same seed twice": True,
    }


@pytest.mark.parametrize("name", fake())
def test_a_section_that_failed_or_is_missing_is_not_measured_and_does_no_harm(name):
    for changed in ({name: {"error": "RuntimeError: gone | away"}}, {}):
        report = {key: one for key, one in fake().items() if key != name} | changed
        if name == "machine" and changed:
            continue
        text = page(report)
        assert ("* " + name + ": RuntimeError: gone | away" in text) == bool(changed)
        assert len(targets.rows(report)) == 10


def test_the_page_says_what_was_measured():
    text = page(fake())
    for words in (
        "# On NVIDIA Imaginary | 1",
        "driver: 580.1",
        "20,000 images/s at batch 256, 1.20 x PyTorch, channels last | yes |",
        "2.0e-03 (loss) | **no** |",
        "30,000 images/s at batch 128; PyTorch not measured | not measured |",
        "1.7 hours (the paper's network, TF32, batch 256) | yes |",
        "18.10% after 140 epochs, 40 s, 30 times as fast as in 2010 | yes |",
        "| alexnet | tf32 | 1024 | out of memory |",
        "| copying memory | 3,800 GB/s read and written |",
        "| product of float32 matrices as tf32 | 250.0 T multiply-adds/s |",
        "| alexnet | tf32 | 256 | 19,000 | 20,000 | 95% | 1.0% | 1.7 h |",
        "| conv1 | 1.50 | 3.00 | 50% | 25% |",
        "| pool1 | 1.50 | 3.00 |  | 25% |",
        "The tests there: 3 passed.",
    ):
        assert words in text
    for line in text.splitlines():
        assert not line.startswith("|") or line.endswith("|")


def test_tables_have_as_many_cells_in_every_line():
    lines = page(fake()).splitlines()
    tables = "\n".join(line if line.startswith("|") else "" for line in lines).split("\n\n")
    for table in filter(None, (one.strip() for one in tables)):
        counts = {line.replace("\\|", "").count("|") for line in table.splitlines()}
        assert len(counts) == 1, table


def test_what_differs_when_repeated_is_named():
    report = fake() | {
        "repeat": {"steps": 50, "first_difference": "step 3, loss", "layers": ["alexnet conv1 dx"]}
    }
    row = targets.rows(report)[-1]
    assert row.found == "first step 3, loss; by itself differs: alexnet conv1 dx"
    assert row.met is True
    report["repeat"]["layers"] = []
    assert targets.rows(report)[-1].met is False


def test_the_page_without_a_gpu_is_the_one_that_is_kept():
    kept = (ROOT / "lessons" / "results" / "gpu-not-measured.md").read_text()
    assert kept == page({})
    assert kept.count("| not measured | not measured |") == 10


# ---------------------------------------------------------------- what may go wrong


def test_what_fails_does_not_take_the_rest_with_it(tmp_path, monkeypatch):
    def broken(*arguments):
        raise RuntimeError("CUDA_ERROR_UNKNOWN\nmore")

    monkeypatch.setattr(measure, "layers_apart", broken)
    monkeypatch.setattr(measure.speed, "steps", lambda *arguments: fake()["steps"][:1])
    monkeypatch.setattr(measure.speed, "loops", broken)
    said = []
    report = measure.measure(CPU, SMALL, tmp_path, said.append)
    assert report["layers_apart"] == {"error": "RuntimeError: CUDA_ERROR_UNKNOWN"}
    assert report["repeat"]["first_difference"] == ""
    assert said[0] == "layers apart ..."
    text = (tmp_path / "gpu-the-cpu.md").read_text()
    assert "* loops: RuntimeError: CUDA_ERROR_UNKNOWN" in text


def test_a_batch_that_does_not_fit_is_a_line_of_the_table(monkeypatch):
    def too_big(work, *arguments):
        if work.batch == 6:
            raise InputError("minialexnet: its process ended, perhaps for want of memory")
        found = {"seconds": {"forward": [0.5, 0.5]}, "memory": 1}
        return result(work, {"minialexnet": found}, [1e9])

    monkeypatch.setattr(speed, "measured", too_big)
    rows = speed.steps(CPU, SMALL, False, lambda what: None)
    assert rows[0]["images_per_s"] == 8
    assert rows[1]["error"].endswith("perhaps for want of memory")
    assert speed.fastest(rows, "mini", "float32") is rows[0]
    assert speed.fastest(rows, "mini", "tf32") is None


def test_tests_are_counted_and_those_that_fail_are_named(tmp_path):
    file = tmp_path / "test_two.py"
    file.write_text("def test_good(): pass\ndef test_bad(): assert 0\n")
    found = all_tests(str(file))
    assert found["summary"].startswith("1 failed, 1 passed in")
    assert not found["passed"]
    assert len(found["failed"]) == 1


def test_without_a_gpu_it_ends_in_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert main(["--out", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith('make gpu: device "cuda" needs CuPy, which is not installed')
    assert err.count("\n") == 1
    assert main(["--device", "cpu", "--cifar10", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.endswith("none: no prepared folder\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there may be a GPU")
def test_make_gpu_without_a_gpu_installs_nothing(tmp_path):
    venv = tmp_path / "venv"
    done = subprocess.run(
        ["make", "-C", str(ROOT), "gpu", f"VENV={venv}"], capture_output=True, text=True
    )
    assert done.returncode == 2
    said = "make gpu needs an NVIDIA GPU with its driver, and nvidia-smi lists none\n"
    assert done.stderr.startswith(said)
    assert not venv.exists()


def test_a_gpu_is_described(monkeypatch):
    runtime = SimpleNamespace(
        getDeviceProperties=lambda number: {
            "name": b"NVIDIA H200",
            "major": 9,
            "minor": 0,
        },
        getDeviceCount=lambda: 2,
        driverGetVersion=lambda: 13000,
        runtimeGetVersion=lambda: 12090,
        memGetInfo=lambda: (140 * 2**30, 141 * 2**30),
    )
    device = nullcontext(SimpleNamespace(id=0))
    device.id = 0
    cuda = SimpleNamespace(runtime=runtime, Device=lambda *number: device)
    cupy = SimpleNamespace(cuda=cuda, __version__="14.2.0")
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(machine, "torch_version", lambda place: "2.13.0, CUDA 13.0, cuDNN 9")
    found = machine.machine(Device("cuda", np.asarray, np.asarray))
    assert found["name"] == "NVIDIA H200"
    assert found["memory"] == "141 GiB"
    assert found["compute capability"] == "9.0"
    assert (found["CUDA of the driver"], found["CUDA of CuPy"]) == ("13.0", "12.9")
    assert machine.slug(found["name"]) == "nvidia-h200"


def test_pytorch_is_asked_in_a_process_of_its_own(monkeypatch):
    gpu = Device("cuda", np.asarray, np.asarray)
    monkeypatch.setattr(machine, "find_spec", lambda name: object())
    for code, said in (
        ("print('2.13.0, CUDA 13.0, cuDNN 91900')", "2.13.0, CUDA 13.0, cuDNN 91900"),
        ("raise ImportError('libcudart')", "cannot be imported (ImportError: libcudart): not"),
    ):
        monkeypatch.setattr(machine, "ASKED", code)
        found = machine.torch_version(gpu)
        assert found.startswith(said)
        assert machine.torch_usable({"PyTorch": found}) == ("13.0" in said)
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    assert not machine.torch_usable({"PyTorch": machine.torch_version(gpu)})


def test_the_report_itself_has_all_batches_and_fifty_steps():
    plan = Plan()
    assert plan.batches == (128, 256, 512, 1024)
    assert plan.training_steps == 50
    assert len(speed.works(Device("cuda", np.asarray, np.asarray), plan)) == 16
    assert replace(plan, tests=False) != plan
    assert asdict(plan)["precisions"] == ("tf32", "float16")
