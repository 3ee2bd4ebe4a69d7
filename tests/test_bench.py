"""The bench: its arithmetic by hand, and that it runs; no test depends on how fast."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from accelerators import on_each_accelerator
from threadpoolctl import threadpool_limits

from minialexnet import backend, networks, strict
from minialexnet.bench import (
    Work,
    contenders,
    feeding,
    feeding_speeds,
    layer_times,
    limits,
    report,
    turns,
)
from minialexnet.bench.clock import Events, clock, timed
from minialexnet.bench.contenders import minialexnet
from minialexnet.bench.layers import _moved, gpu_layers
from minialexnet.bench.limits import copy_bandwidth, matrix_peak
from minialexnet.bench.loop import drawn_pictures, loop_speed
from minialexnet.bench.turns import peak, peak_memory, result
from minialexnet.cost import multiply_adds, training_multiply_adds
from minialexnet.errors import InputError
from minialexnet.layers import LocallyConnected2D, Network


@pytest.fixture(autouse=True)
def products():
    """Contenders limit the threads of products for their whole process; here that must end."""
    with threadpool_limits(None):
        yield


SMALL = {"network": "mini", "batch": 4}


def network(name):
    return getattr(networks, name)(np.random.default_rng(0))


def test_multiply_adds_of_the_paper():
    """Layer by layer: places times filters times the weights of one."""
    assert multiply_adds(network("alexnet"), (227, 227, 3)) == {
        "conv1": 55 * 55 * 96 * 11 * 11 * 3,
        "conv2": 27 * 27 * 256 * 5 * 5 * 48,
        "conv3": 13 * 13 * 384 * 3 * 3 * 256,
        "conv4": 13 * 13 * 384 * 3 * 3 * 192,
        "conv5": 13 * 13 * 256 * 3 * 3 * 192,
        "fc6": 9216 * 4096,
        "fc7": 4096 * 4096,
        "fc8": 4096 * 1000,
    }


def test_the_known_totals():
    """724 million for the paper's network, 714 for torchvision's."""
    millions = {
        name: sum(multiply_adds(network(name), (size, size, 3)).values()) / 1e6
        for name, size in networks.SIZES.items()
    }
    assert millions["alexnet"] == pytest.approx(724, abs=0.5)
    assert millions["one_tower"] == pytest.approx(714, abs=0.5)


def test_filters_that_are_not_shared():
    rng = np.random.default_rng(0)
    net = Network({"local": LocallyConnected2D(6, 5, 2, 7, 3, rng=rng)})
    assert multiply_adds(net, (6, 5, 2)) == {"local": 4 * 3 * 7 * 3 * 3 * 2}


def test_nobody_works_out_the_gradient_of_pixels():
    net, shape = network("cifar_80sec"), (32, 32, 3)
    forward = multiply_adds(net, shape)
    assert training_multiply_adds(net, shape) == 3 * sum(forward.values()) - forward["conv1"]


NONSENSE = {
    "network": ("resnet", 'unknown network "resnet": expected one of alexnet, '),
    "task": ("test", "--task should be one of train, predict, got test"),
    "engine": ("fast", "--engine should be one of plain, sliced, winograd, got fast"),
    "precision": ("half", "--precision should be one of float32, tf32, float16, got half"),
    "batch": (0, "--batch should be 1 or more, got 0"),
    "threads": (-1, "--threads should be 1 or more, got -1"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_refused(name):
    value, message = NONSENSE[name]
    with pytest.raises(InputError) as error:
        Work(**{name: value})
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("task", "parts"),
    [("train", ["data", "forward", "backward", "update"]), ("predict", ["data", "forward"])],
)
def test_a_step_of_ours(task, parts):
    seconds = minialexnet(Work(**SMALL, task=task))().seconds()
    assert list(seconds) == parts
    assert all(0 < value < 60 for value in seconds.values())


def test_the_clock_adds_up_the_readings_of_a_part():
    watch = clock(backend.device("cpu"))
    for part in ("forward", "backward", "forward"):
        time.sleep(0.01)
        watch.lap(part)
    assert list(watch.seconds()) == ["forward", "backward"]
    assert watch.seconds()["forward"] > watch.seconds()["backward"] >= 0.01


class Event:
    """A GPU's event: the GPU comes past it a millisecond after the one before."""

    passed = 0

    def record(self, stream=None):
        self.at = Event.passed = Event.passed + 1

    def synchronize(self):
        self.waited = True


def test_a_gpu_is_not_waited_for_before_somebody_asks_for_the_seconds():
    watch = Events(Event, lambda before, after: float(after.at - before.at))
    for part in ("forward", "backward", "forward"):
        watch.lap(part)
    events = [event for _, event in watch.marks]
    assert not any(hasattr(event, "waited") for event in events)
    assert watch.seconds() == {"forward": pytest.approx(0.002), "backward": pytest.approx(0.001)}
    assert [hasattr(event, "waited") for event in events] == [False, False, False, True]


def test_work_is_timed_by_the_median_after_a_warm_up():
    naps = iter([0.3, 0.3, 0.01, 0.4, 0.03])
    assert 0.03 <= timed(lambda: time.sleep(next(naps)), backend.device("cpu"), 3) < 0.3


@on_each_accelerator
def test_the_limits_of_a_device(on):
    for place in (backend.device("cpu"), on):
        for precision in ("float32", "float16"):
            assert 1e4 < matrix_peak(place, precision, 64) < 1e16
        assert 1e6 < copy_bandwidth(place, 2**20) < 1e14


def test_the_peak_and_the_memory_are_of_this_machine(monkeypatch):
    monkeypatch.setattr(limits, "CPU_SIDE", 256)
    assert 1e7 < peak(Work(**SMALL)) < 1e13
    assert 2**24 < peak_memory() < 2**44


@on_each_accelerator
def test_a_step_of_ours_on_an_accelerator(on, monkeypatch):
    monkeypatch.setattr(contenders, "device", lambda name: on)
    for task, parts in (("train", 4), ("predict", 2)):
        seconds = minialexnet(Work(**SMALL, task=task, device=on.name))().seconds()
        assert len(seconds) == parts
        assert all(value >= 0 for value in seconds.values())


@pytest.fixture
def gpu(monkeypatch):
    """A GPU with CuPy's names, whose arrays are those of the strict device."""
    cuda = SimpleNamespace(Event=Event, get_elapsed_time=lambda one, two: float(two.at - one.at))
    pool = SimpleNamespace(total_bytes=lambda: 2**30)
    cupy = SimpleNamespace(cuda=cuda, get_default_memory_pool=lambda: pool)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    # How products are worked out is a matter for CuPy's own modules.
    monkeypatch.setattr("minialexnet.precision.use_tf32", lambda wanted: None)
    there = backend.Device("cuda:0", strict.asarray, strict.asnumpy)
    for module in (contenders, turns):
        monkeypatch.setattr(module, "device", lambda name: there)
    return there


@pytest.mark.parametrize("task", ["train", "predict"])
def test_on_a_gpu_pictures_are_there_already_and_its_own_clock_counts(gpu, monkeypatch, task):
    monkeypatch.setattr(limits, "SIDE", 32)
    work = Work(**SMALL, task=task, device="cuda:0")
    step = minialexnet(work)
    assert turns._round(step, 3) == {
        part: pytest.approx(0.001)
        for part in ("data", "forward", "backward", "update")[: 4 if task == "train" else 2]
    }
    assert turns._memory("minialexnet", work) == 2**30
    assert peak(work) == pytest.approx(32**3 / 0.001)


def test_layers_are_timed_by_the_gpus_own_clock(gpu):
    work = Work("cifar_80sec", batch=4, device="cuda:0")
    rows = gpu_layers(work, gpu, repeats=1, side=32, copied=2**20)
    assert [row["forward"] for row in rows] == pytest.approx([250] * len(rows))
    conv1 = rows[0]
    assert conv1["share_of_peak"] == pytest.approx(2 * 4 * conv1["multiply_adds"] / 2 / 32**3)
    assert conv1["share_of_copy"] == pytest.approx(
        _moved(work.net(), work, 4)["conv1"] / 2 / (2 * 2**20)
    )


@on_each_accelerator
def test_every_layer_is_held_against_the_limits(on):
    work = Work("cifar_80sec", batch=4, device=on.name)
    rows = gpu_layers(work, on, repeats=1, side=64, copied=2**20)
    assert [row["layer"] for row in rows] == list(work.net().layers)
    assert all(row["share_of_copy"] > 0 and row["images"] == 4 for row in rows)
    products = [row["layer"] for row in rows if row["share_of_peak"] > 0]
    assert products == [row["layer"] for row in rows if row["multiply_adds"]]
    lines = report.layers(rows).splitlines()
    assert len(lines) == len(rows) + 2
    assert lines[0].endswith("of the peak  of copying")
    assert lines[-1].endswith("an image, of the whole batch")


def test_what_a_layer_moves_at_least():
    """conv1 reads pixels, writes maps, and works out no gradient of pixels."""
    work = Work("cifar_80sec", batch=4)
    net = work.net()
    pixels, maps, weights = 32 * 32 * 3, 32 * 32 * 32, 5 * 5 * 3 * 32 + 32
    assert not net.layers["conv1"].input_grad
    moved = _moved(net, work, 4)
    assert moved["conv1"] == 4 * (4 * (2 * pixels + 2 * maps) + 3 * weights)
    assert moved.keys() == net.layers.keys()


def test_tf32_is_for_a_gpu():
    with pytest.raises(InputError, match="--precision tf32 is how a GPU multiplies"):
        Work(precision="tf32")
    assert Work(precision="tf32", device="cuda").precision == "tf32"


def test_the_whole_loop_is_timed(tmp_path):
    work = Work(**SMALL)
    data = drawn_pictures(tmp_path / "noise", 24, 40, 10, test=6)
    found = loop_speed(work, str(data), steps=7, warm=2)
    assert found["steps"] >= 7
    assert 0 < found["images_per_s"] < 1e6
    assert 0 <= found["waited"] <= 1
    line = report.loop(found | {"bare_images_per_s": 2 * found["images_per_s"]})
    assert line.startswith("the whole loop, batch 4: ")
    assert "50% of the bare step's" in line


def found(ours, *theirs) -> dict:
    """What rounds of so many seconds each would have brought."""
    names = ("minialexnet", "PyTorch, channels first", "PyTorch, channels last")
    return {
        name: {"seconds": {"forward": list(rounds)}, "memory": 2**30}
        for name, rounds in zip(names, (ours, *theirs), strict=False)
    }


def test_the_ratio_is_to_the_better_layout_and_of_medians():
    work = Work("cifar_80sec", batch=10, threads=2)
    outcome = result(work, found((1, 2, 1), (9, 9, 9), (2, 2, 4)), [1e9, 3e9, 2e9])
    assert outcome["contenders"]["minialexnet"]["images_per_s"] == 10
    assert outcome["ratio"] == {
        "to": "PyTorch, channels last",
        "median": 2,
        "lowest": 1,
        "highest": 4,
    }
    assert outcome["peak"] == 2e9
    cost = training_multiply_adds(work.net(), (32, 32, 3))
    assert outcome["share_of_peak"] == pytest.approx(10 * cost / 2e9)
    assert "imagenet_hours" not in outcome
    assert "2.00 times PyTorch, channels last (1.00 to 4.00 over the rounds)" in report.speeds(
        outcome
    )


def test_what_it_means_for_imagenet():
    outcome = result(Work("alexnet", batch=128), found((2, 2)), [])
    assert outcome["imagenet_hours"] == pytest.approx(90 * 1_281_167 / 64 / 3600)
    assert "90 epochs of ImageNet would take 500 hours" in report.speeds(outcome)
    assert "imagenet_hours" not in result(Work("alexnet", task="predict"), found((2, 2)), [])


@pytest.mark.parametrize("engine", ["plain", "winograd"])
def test_every_layer_has_a_row(engine):
    work = Work("cifar_80sec", batch=4, engine=engine)
    rows = layer_times(work, repeats=1)
    assert [row["layer"] for row in rows] == list(work.net().layers)
    assert all(row["forward"] > 0 and row["backward"] > 0 and row["images"] == 4 for row in rows)
    assert rows[0]["multiply_adds"] == 32 * 32 * 32 * 75
    assert len(report.layers(rows).splitlines()) == len(rows) + 2


def bench(*options, folder=None):
    command = [sys.executable, "-m", "minialexnet", "bench", *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)


def test_the_command(tmp_path):
    options = ["--network", "mini", "--batch", "4", "--rounds", "2", "--steps", "1"]
    done = bench(*options, "--threads", "1", "--json", "speed.json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("mini, train, batch 4, 1 threads, engine winograd; medians")
    written = json.loads((tmp_path / "speed.json").read_text())
    seconds = written["contenders"]["minialexnet"]["seconds"]
    assert {part: len(rounds) for part, rounds in seconds.items()} == dict.fromkeys(
        ["data", "forward", "backward", "update"], 2
    )
    assert written["share_of_peak"] > 0
    again = bench(*options, "--json", "speed.json", folder=tmp_path)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "minialexnet: error: --json speed.json: exists already\n"
    assert json.loads((tmp_path / "speed.json").read_text()) == written


# ---------------------------------------------------------------- feeding


def test_feeding_is_measured_against_copying(data_folder, monkeypatch):
    monkeypatch.setattr(feeding, "COPIED", 2**16)
    result = feeding_speeds(str(data_folder), 20, 8, 2)
    assert (result["pictures"], result["size"], result["crop"]) == (24, 32, 20)
    assert all(len(speeds) == 2 and min(speeds) > 0 for speeds in result["speeds"].values())
    for kind, share in result["shares"].items():
        pairs = zip(result["speeds"][kind], result["speeds"]["copying"], strict=True)
        each = sorted(fed * 20 * 20 * 3 / copied for fed, copied in pairs)
        assert share == pytest.approx(sum(each) / 2)
    lines = report.feeding(result).splitlines()
    assert lines[0].startswith("24 pictures of 32 x 32 pixels")
    assert [line.rstrip().endswith("of copying") for line in lines[1:]] == [False, True, True]


def test_pictures_too_small_to_be_cut_are_refused(data_folder):
    with pytest.raises(InputError, match="pictures of 32 x 32 pixels, too small for 227"):
        feeding_speeds(str(data_folder), 227, 8, 1)
