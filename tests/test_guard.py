"""A network that does not move, or moves out of sight, is reported with its layers."""

import math
import re

import numpy as np
import pytest
import tiny

from minialexnet import checkpoint, run, strict
from minialexnet.__main__ import main
from minialexnet.backend import device
from minialexnet.guard import activation_scales, report, stuck
from minialexnet.layers import Layer, Network
from minialexnet.recipe import Recipe
from minialexnet.run import network
from minialexnet.train import train

LAYERS = list(network("mini", 3, 0).layers)


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_stuck_is_within_one_per_cent_of_guessing(classes):
    guessing = math.log(classes)
    assert stuck(guessing, classes)
    assert stuck(1.0099 * guessing, classes)
    assert stuck(0.9901 * guessing, classes)
    assert not stuck(1.0101 * guessing, classes)
    assert not stuck(0.9899 * guessing, classes)
    assert not stuck(float("nan"), classes)


class Times(Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x, rng=None):
        assert rng is None
        return self.factor * x, None


def test_scales_are_the_standard_deviation_after_every_layer():
    x = np.random.default_rng(0).normal(size=(5, 3))
    net = Network({"one": Times(10.0), "two": Times(-0.5), "three": Times(0.0)})
    names, scales = zip(*activation_scales(net, x, device("cpu")), strict=True)
    assert names == ("one", "two", "three")
    mean = sum(x.flat) / 15
    spread = math.sqrt(sum((value - mean) ** 2 for value in x.flat) / 15)
    assert scales == pytest.approx((10 * spread, 5 * spread, 0))


def test_the_report_has_a_line_for_each_layer():
    lines = report([("conv1", 0.12345), ("fc8", float("nan"))]).splitlines()
    assert [line.split() for line in lines] == [["conv1", "0.123"], ["fc8", "nan"]]


# ---------------------------------------------------------------- in a run


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr(run.Run, "pictures", lambda self: None)


def trained(capsys, data_folder, out, *words):
    code = main(["train", "--data", str(data_folder), "--out", str(out), *map(str, words)])
    return code, *capsys.readouterr()


def named(text):
    """The layers that are listed with a number, from the first line of the list on."""
    return [line.split()[0] for line in text.splitlines() if line.startswith("  ")]


# One step an epoch, three, or three with every step saved: what is saved was never too late.
@pytest.mark.parametrize(
    "words", [("--batch", 24), ("--batch", 8), ("--batch", 8, "--save-minutes", 0)]
)
@pytest.mark.parametrize("rate", [1e3, 1e6, 1e30])
def test_a_run_that_diverges_ends_with_the_layers_and_the_last_good_state(
    capsys, data_folder, tmp_path, words, rate
):
    out = tmp_path / "run"
    code, _, said = trained(capsys, data_folder, out, "--epochs", 50, "--rate", rate, *words)
    assert code == 1
    assert said.startswith("minialexnet: the ")
    assert f"{out}/checkpoint.npz is the last good state" in said
    assert "Traceback" not in said
    assert "Warning" not in said
    assert named(said) == LAYERS
    assert any(word in said for word in ("nan", "inf"))
    for path in out.glob("*.npz"):
        saved = checkpoint.load(path)
        assert all(np.isfinite(array).all() for array in saved.params.values())
        net = network("mini", 3, 0)
        checkpoint.give(net, saved, device("cpu"), path)
        assert np.isfinite(net(np.zeros((1, 32, 32, 3), np.float32))).all()


def test_what_was_saved_before_a_run_diverges_stays_as_it_was(capsys, data_folder, tmp_path):
    out = tmp_path / "run"
    code, *_ = trained(capsys, data_folder, out, "--rate", 1e6, "--batch", 8, "--epochs", 1)
    assert code == 1
    saved = checkpoint.load(out / "checkpoint.npz")
    assert tiny.same(saved.params, network("mini", 3, 0).params)
    assert saved.about["progress"]["step"] == saved.about["progress"]["epoch"] == 0


# Three steps an epoch.
@pytest.mark.parametrize(("step", "epoch"), [(1, 1), (3, 1), (4, 2)])
@pytest.mark.parametrize("lost", [float("nan"), float("inf")])
def test_the_epoch_in_which_the_loss_was_lost_is_named(
    capsys, data_folder, tmp_path, monkeypatch, step, epoch, lost
):
    def losing(*given):
        for number, losses in enumerate(train(*given), 1):
            yield losses if number < step else [lost]

    monkeypatch.setattr(run, "train", losing)
    words = ("--rate", 0.001, "--batch", 8, "--epochs", 3)
    code, _, said = trained(capsys, data_folder, tmp_path / "run", *words)
    assert code == 1
    assert said.startswith(f"minialexnet: the loss became {lost} in epoch {epoch}; ")
    saved = checkpoint.load(tmp_path / "run" / "checkpoint.npz")
    assert saved.about["progress"]["epoch"] == epoch - 1


@pytest.mark.parametrize("together", [2, 50])
def test_on_a_gpu_nan_is_found_before_anything_is_saved(
    data_folder, tmp_path, monkeypatch, together
):
    monkeypatch.setattr("minialexnet.train.TOGETHER", together)
    out = tmp_path / "run"
    recipe = Recipe(data=str(data_folder), epochs=9, batch=8, rate=1e6)
    with pytest.raises(run.Diverged, match=r"the (loss|scores) became (nan|inf|NaN)"):
        run.Run(recipe, out, strict.device(), 1).go(save_minutes=0)
    for path in out.glob("*.npz"):
        saved = checkpoint.load(path)
        assert all(np.isfinite(array).all() for array in saved.params.values())


def test_the_scales_are_those_that_gave_the_loss_not_all_nan(capsys, data_folder, tmp_path):
    words = ("--rate", 30, "--batch", 8)
    code, _, said = trained(capsys, data_folder, tmp_path / "run", *words)
    assert code == 1
    first = next(line for line in said.splitlines() if line.startswith("  conv1"))
    assert math.isfinite(float(first.split()[1]))
    assert said.rstrip().endswith("nan")


def test_a_run_that_never_moves_is_warned_about_once(capsys, data_folder, tmp_path):
    words = ("--network", "cifar_80sec", "--rate", 1e-9, "--stall-after", 4, "--batch", 8)
    code, said, _ = trained(capsys, data_folder, tmp_path / "run", "--epochs", 3, *words)
    assert code == 0
    assert said.count("warning: ") == 1
    told = r"after 4 steps the loss is still 1\.(09|10)\d, as if guessing among 3 classes"
    assert re.search(told, said)
    assert named(said) == list(network("cifar_80sec", 3, 0).layers)


def test_a_healthy_run_is_not_warned_about(capsys, data_folder, tmp_path):
    words = ("--rate", 0.001, "--stall-after", 6, "--batch", 8, "--epochs", 3)
    code, said, errors = trained(capsys, data_folder, tmp_path / "run", *words)
    assert code == 0
    assert "warning" not in said
    assert errors == ""
