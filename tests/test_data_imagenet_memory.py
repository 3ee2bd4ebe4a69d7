"""The memory that preparing takes does not grow with the data set."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import tiny_imagenet
from tiny_imagenet import WNIDS, Drawn, drawn

from minialexnet.data.prepared import prepared

# Runs a command. Every process of it writes down the largest memory that it has had, in kB.
MEASURED = textwrap.dedent(
    """
    import itertools, multiprocessing, os, re, sys
    from pathlib import Path
    from minialexnet.__main__ import main
    from minialexnet.data import preparation

    decoded, calls, folder = preparation.decoded, itertools.count(), Path(__file__).parent

    def note():
        who = "parent" if multiprocessing.parent_process() is None else os.getpid()
        status = Path("/proc/self/status").read_text()
        (folder / f"{who}.kB").write_text(re.search(r"VmHWM:\\s+(\\d+)", status)[1])

    def noted(*given):
        if next(calls) % 25 == 0:
            note()
        return decoded(*given)

    preparation.decoded = noted

    if __name__ == "__main__":
        code = main(sys.argv[1:])
        note()
        sys.exit(code)
    """
)


def many(folder, count) -> Path:
    """So many training pictures, and a tenth of that for validation: the same few over and over."""
    few, _ = drawn(12, 1)
    rng = np.random.default_rng(0)
    train = [
        Drawn(m % 6, f"{WNIDS[m % 6]}_{m}.JPEG", few[rng.integers(len(few))].content)
        for m in range(count)
    ]
    validation = [
        Drawn(m % 6, f"ILSVRC2012_val_{m + 1:08}.JPEG", few[rng.integers(len(few))].content)
        for m in range(count // 10)
    ]
    return tiny_imagenet.made(folder, "archives", train, validation)


def peaks(folder, count) -> tuple[float, float]:
    """The largest memory of preparing, in MB: of the process, and of the larger of its workers."""
    src, script = many(folder / "src", count), folder / "measured.py"
    script.write_text(MEASURED)
    words = ["prepare", "imagenet", src, folder / "out", "--size", 64, "--processes", 2]
    ended = subprocess.run(
        [sys.executable, str(script), *map(str, words)], capture_output=True, text=True, timeout=600
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(prepared(folder / "out").train.labels) == count
    found = {path.stem: 1024 * int(path.read_text()) / 1e6 for path in folder.glob("*.kB")}
    parent = found.pop("parent")
    assert len(found) == 2
    return parent, max(found.values())


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to tell")
def test_ten_times_the_pictures_take_the_same_memory(tmp_path):
    small, large = (peaks(tmp_path / str(count), count) for count in (2_000, 20_000))
    print(f"MB for 2,000 and 20,000 pictures, parent and worker: {small} and {large}")
    for few, many_ in zip(small, large, strict=True):
        assert abs(many_ - few) < 10
