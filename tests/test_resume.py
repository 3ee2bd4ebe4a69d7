"""A run that is stopped or killed at any moment ends, to the byte, as the one nobody disturbed."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tiny_imagenet

from minialexnet import checkpoint
from minialexnet.data.imagenet import imagenet_source
from minialexnet.data.preparation import prepare

KILLS = 30
EPOCHS, STEPS = 10, 12


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """An ImageNet of 96 pictures to train on: twelve steps an epoch."""
    folder = tmp_path_factory.mktemp("data")
    copy = tiny_imagenet.made(folder / "copy", "folders", *tiny_imagenet.drawn(train=16))
    prepare(imagenet_source(copy), folder / "set", 40, processes=1)
    return folder / "set"


def started(*words):
    """The program in a process of its own; it prints its first line when it begins to train."""
    command = [sys.executable, "-u", "-m", "minialexnet", "train", *map(str, words)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )


def begin(data, out):
    numbers = ("--epochs", EPOCHS, "--batch", 8, "--rate", 0.001, "--schedule", "linear")
    augmentation = ("--crop", 32, "--flip", "--colour", 0.1, "--colour-epochs", 8, "--share", 4)
    return ("--data", data, "--out", out, *numbers, *augmentation)


def ended(process):
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert errors == ""
    return said


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory):
    """The folder of a run that nobody disturbed, and the seconds that it trained for."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    process = started(*begin(data, folder))
    process.stdout.readline()
    before = time.monotonic()
    for _ in range(EPOCHS):
        process.stdout.readline()
    seconds = time.monotonic() - before
    ended(process)
    return folder, seconds


def log(folder):
    """The rows of log.csv without what the clock says."""
    with (folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        del row["images_per_s"], row["waited"], row["seconds"]
    return rows


def demand_equal(folder, undisturbed):
    for name in ("checkpoint.npz", "best.npz", "recipe.json", "filters.png", "predictions.png"):
        assert (folder / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert len(log(folder)) == EPOCHS
    assert log(folder) == log(undisturbed)
    # Nothing is left of what was being written when the process was killed.
    assert {p.name for p in folder.iterdir()} == {p.name for p in undisturbed.iterdir()}


def place(folder):
    """The steps that the checkpoint of a run has behind it; None where there is no checkpoint."""
    path = folder / "checkpoint.npz"
    if not path.exists():
        return None
    saved = checkpoint.load(path).about["progress"]
    return saved["epoch"] * STEPS + saved["step"]


def wait_for(folder, steps):
    """Return when the checkpoint of a run has that many steps behind it."""
    deadline = time.monotonic() + 60
    while (place(folder) or 0) < steps:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_ctrl_c_saves_and_says_how_to_go_on(data, undisturbed, tmp_path):
    folder = tmp_path / "run"
    process = started(*begin(data, folder), "--save-minutes", 0)
    wait_for(folder, STEPS + 2)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == ""
    command = f"minialexnet train --resume --out {folder}"
    assert said.splitlines()[-1] == f"stopped and saved; go on with: {command}"
    assert STEPS + 2 <= place(folder) < EPOCHS * STEPS
    said = ended(started(*command.split()[2:]))
    assert said.count("\nepoch ") < EPOCHS
    demand_equal(folder, undisturbed[0])


@pytest.mark.parametrize("kills", [10, pytest.param(KILLS, marks=pytest.mark.long)])
def test_a_run_killed_at_many_moments_ends_as_the_undisturbed_one(
    data, undisturbed, tmp_path, kills
):
    folder = tmp_path / "run"
    rng = np.random.default_rng(0)
    seconds = undisturbed[1] / (EPOCHS * STEPS)
    places = []
    for _ in range(kills):
        before = place(folder)
        words = begin(data, folder) if before is None else ("--resume", "--out", folder)
        process = started(*words, "--save-minutes", 0.0002)
        # One in five is killed while it starts, the others in the middle of any step. Together
        # they leave enough steps for the last one.
        if rng.random() < 0.2:
            time.sleep(rng.uniform(0, 0.5))
        else:
            process.stdout.readline()
            wait_for(folder, (before or 0) + rng.integers(4))
            time.sleep(rng.uniform(0, 1.5 * seconds))
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        places.append(place(folder))
    assert sum(done is not None and done % STEPS > 0 for done in places) > kills // 2
    assert places[-1] > STEPS * kills // KILLS
    ended(started("--resume", "--out", folder))
    demand_equal(folder, undisturbed[0])
