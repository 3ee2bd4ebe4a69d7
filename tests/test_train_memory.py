"""The memory that training takes does not grow with the data set."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minialexnet.data.writing import new_prepared

# One epoch; after every step, what the process holds that no file could give back.
TRAINING = """
import re, sys
from pathlib import Path
from minialexnet import run
from minialexnet.__main__ import main

def held(name):
    return int(re.search(name + r":\\s*(\\d+)", Path("/proc/self/status").read_text())[1])

peaks, train = [], run.train

def watched(*given):
    for loss in train(*given):
        peaks.append(held("RssAnon"))
        yield loss

run.train = watched
numbers = ["--crop", "32", "--epochs", "1", "--batch", "128"]
code = main(["train", "--data", sys.argv[1], "--out", sys.argv[2], *numbers])
print(code, max(peaks), held("VmHWM"))
"""


def noise(folder, count):
    """A prepared set of so many pictures of 64 x 64 pixels."""
    some = np.random.default_rng(0).integers(0, 256, (250, 64, 64, 3), np.uint8)
    with new_prepared(
        folder, train=count, test=250, size=64, classes=["a", "b"], source="noise"
    ) as (train, test):
        for first in range(0, count, 250):
            train.images[first : first + 250] = some
        test.images[:] = some
        train.labels[:], test.labels[:] = np.arange(count) % 2, np.arange(250) % 2
    return folder


def peaks(data, out) -> tuple[float, float]:
    """MB that training held at the most, without mapped files and with them."""
    command = [sys.executable, "-c", TRAINING, str(data), str(out)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    code, *found = said.stdout.splitlines()[-1].split()
    assert code == "0", said.stderr
    return tuple(1024 * int(peak) / 1e6 for peak in found)


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell")
def test_four_times_the_pictures_take_no_more_memory(tmp_path):
    """4,000 pictures of 64 x 64 pixels are 49 MB, 16,000 are 197 MB."""
    few, many = (
        peaks(noise(tmp_path / f"set{count}", count), tmp_path / f"run{count}")
        for count in (4_000, 16_000)
    )
    for count, (held, mapped) in ((4_000, few), (16_000, many)):
        print(f"{count} pictures: {held:.0f} MB at the most, with mapped files {mapped:.0f} MB")
    assert abs(many[0] - few[0]) < 10
