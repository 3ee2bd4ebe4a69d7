"""Under a real mpiexec: results do not depend on the number of ranks, and a job ends as it should.

One rank stands for the launch without mpiexec.
"""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time

import mpi
import numpy as np
import pytest
import tiny

from minialexnet import checkpoint
from minialexnet.__main__ import main

pytestmark = mpi.needs_mpi
# Thirteen steps an epoch, the last of one image: 104 steps. `mini` has dropout.
NUMBERS = ("--epochs", 8, "--batch", 16, "--rate", 0.001, "--schedule", "constant", "--seed", 3)
AUGMENTED = ("--crop", 32, "--flip", "--colour", 0.1, "--share", 3)
# Seconds that ranks wait for each other where one is stopped; then 10 more at most.
LIMIT = 3
LAYERS = """
import os
from minialexnet.layers import ReLU as Theirs

calls = 0


class ReLU(Theirs):
    def forward(self, x, rng=None):
        global calls
        calls += rng is not None
        mine = os.environ.get("PMI_RANK", os.environ.get("OMPI_COMM_WORLD_RANK"))
        if mine == "1" and calls > 100:
            raise RuntimeError("a bug")
        return super().forward(x, rng)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny.prepared(tmp_path_factory.mktemp("data") / "tiny", train=193, test=31, size=36)


@pytest.fixture(scope="module")
def begin(data):
    return ("--data", data, *NUMBERS, *AUGMENTED)


@pytest.fixture(scope="module")
def alone(begin, tmp_path_factory):
    """The folder of the run in one process."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    assert main(["train", *map(str, begin), "--out", str(folder)]) == 0
    return folder


def rows(folder):
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def state(folder):
    """All weights and velocities of a run."""
    saved = checkpoint.load(folder / "checkpoint.npz")
    return {**saved.params, **{f"velocity of {name}": v for name, v in saved.velocity.items()}}


def demand_near(folder, other):
    """The same run, but for roundings.

    One of them may turn a ReLU on or off, and the runs part: weights that differed by 1e-7 at the
    beginning differed by 2e-7 to 1e-3 in all at the end. An epoch less makes 6e-3.
    """
    mine, theirs = state(folder), state(other)
    assert list(mine) == list(theirs)
    apart = np.sqrt(sum(np.square(mine[name] - theirs[name]).sum() for name in mine))
    assert apart <= 4e-3 * np.sqrt(sum(np.square(array).sum() for array in mine.values()))
    for one, two in zip(rows(folder), rows(other), strict=True):
        assert one["epoch"] == two["epoch"]
        assert float(one["loss"]) == pytest.approx(float(two["loss"]), rel=3e-2)


def demand_same(folder, other):
    """The same to the bit."""
    mine, theirs = state(folder), state(other)
    assert list(mine) == list(theirs)
    for name, array in mine.items():
        assert np.array_equal(array, theirs[name]), name


# ---------------------------------------------------------------- results

STEPS = mpi.TESTS / "mpi_float64.py"


@pytest.fixture(scope="module")
def hundred_steps(tmp_path_factory):
    """Weights, losses and test errors after 105 steps in float64, in one process."""
    out = tmp_path_factory.mktemp("float64") / "one.npz"
    program = [sys.executable, str(STEPS), str(out)]
    subprocess.run(program, env=mpi.ENVIRONMENT, check=True)
    with np.load(out) as arrays:
        return dict(arrays)


@pytest.mark.parametrize(
    ("ranks", "words"),
    [(2, ()), (3, ()), (4, ()), (2, ("towers",)), (4, ("towers",))],
    ids=["2", "3", "4", "two towers", "two pairs of towers"],
)
def test_a_hundred_steps_are_the_same_on_any_number_of_ranks(ranks, words, hundred_steps, tmp_path):
    mpi.done(ranks, tmp_path / "out.npz", *words, before=[STEPS])
    with np.load(tmp_path / "out.npz") as arrays:
        found = dict(arrays)
    assert list(found) == list(hundred_steps)
    assert found["errors"].tolist() == hundred_steps["errors"].tolist()
    assert len(found["losses"]) == 105
    for name, array in hundred_steps.items():
        assert np.abs(array - found[name]).max() <= 1e-9 * np.abs(array).max(), name


@pytest.mark.parametrize(
    ("ranks", "words", "said"),
    [
        (2, (), "2 ranks, data parallel, 8 of the 16 images of a step each"),
        (2, ("--towers",), "2 ranks, 1 times two towers, 16 of the 16 images of a step each"),
    ],
    ids=["data parallel", "towers"],
)
def test_a_job_leaves_what_one_process_leaves(ranks, words, said, begin, alone, tmp_path):
    printed = mpi.done(ranks, *begin, *words, "--out", tmp_path / "run")
    demand_near(tmp_path / "run", alone)
    assert said in printed
    assert "of the time went into messages" in printed
    assert printed.count("epoch 1/8") == 1
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        path.name for path in alone.iterdir()
    }


# ---------------------------------------------------------------- faults


def under_way(folder, ranks, *words):
    """A job that has saved something."""
    process = mpi.job(ranks, *words, "--save-minutes", 0.002, "--out", folder)
    saved, end = folder / "previous.npz", time.monotonic() + 60
    while not saved.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    return process


@pytest.fixture(scope="module")
def undisturbed(begin, tmp_path_factory):
    """ranks -> the folder of the run on so many, which nothing happened to."""
    folders = {}

    def undisturbed(ranks):
        if ranks not in folders:
            folders[ranks] = tmp_path_factory.mktemp("undisturbed") / "run"
            mpi.done(ranks, *begin, "--out", folders[ranks])
        return folders[ranks]

    return undisturbed


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("kind", "victim", "ranks", "seconds"),
    [
        (signal.SIGKILL, 1, 2, 5),
        (signal.SIGSTOP, 1, 2, LIMIT + 10),
        (signal.SIGSTOP, 0, 3, LIMIT + 10),
        (signal.SIGTERM, 1, 2, 10),
    ],
    ids=["kill", "stop", "stop the first", "terminate"],
)
def test_a_rank_is_lost_and_the_run_goes_on_with_others(
    kind, victim, ranks, seconds, begin, alone, undisturbed, tmp_path
):
    folder = tmp_path / "run"
    process = under_way(folder, ranks, *begin, "--limit", LIMIT)
    pids = [mpi.pid_of(rank, folder) for rank in range(ranks)]
    before = time.monotonic()
    os.kill(pids[victim], kind)
    code, said, errors = mpi.ended(process)
    assert time.monotonic() - before <= seconds
    assert all(mpi.gone(pid) for pid in pids)
    if kind == signal.SIGTERM:
        assert (code, errors) == (130, "")
        assert "stopped and saved" in said
    else:
        assert code != 0
    if kind == signal.SIGSTOP:
        assert f"rank {victim} has not come for" in errors
        assert errors.count("minialexnet: error") == 1
    assert checkpoint.load(folder / "checkpoint.npz").about["progress"]["epoch"] < 8
    other = tmp_path / "on another number of ranks"
    shutil.copytree(folder, other)
    mpi.done(ranks, "--resume", "--out", folder)
    demand_same(folder, undisturbed(ranks))
    if ranks == 3:
        assert main(["train", "--resume", "--out", str(other)]) == 0
    else:
        mpi.done(3, "--resume", "--out", other)
    demand_near(other, alone)


def test_an_error_on_one_rank_ends_all_of_them(begin, tmp_path):
    (tmp_path / "layers.py").write_text(LAYERS)
    before = time.monotonic()
    code, _, errors = mpi.ended(
        mpi.job(2, *begin, "--layers", tmp_path / "layers.py", "--out", tmp_path / "run")
    )
    assert time.monotonic() - before <= 20
    assert code == 2
    assert "rank 1: " in errors
    assert "line 14: RuntimeError: a bug" in errors
    checkpoint.load(tmp_path / "run" / "checkpoint.npz")


def test_weights_that_differ_are_found_before_they_are_saved(tmp_path):
    said = mpi.ended(mpi.job(3, before=[mpi.TESTS / "mpi_differing.py"]))
    assert said[0] == 0, said
    assert "rank 2 has another b than rank 0" in said[1]


# ---------------------------------------------------------------- wrong launches


def test_more_ranks_than_images_are_refused(data, tmp_path):
    said = mpi.refused(3, "--data", data, "--batch", 2, "--out", tmp_path / "run")
    assert "3 ranks are more than a batch of 2 images can be shared out to: start 2 at most" in said
    assert not (tmp_path / "run").exists()


def test_an_odd_number_of_towers_is_refused(data, tmp_path):
    said = mpi.refused(3, "--data", data, "--towers", "--out", tmp_path / "run")
    assert "--towers needs two ranks for each network, got 3" in said


def mixed(tmp_path, first, second):
    """What is said to two ranks with different words."""
    program = [sys.executable, "-m", "minialexnet", "train", "--out", tmp_path / "run"]
    return mpi.refused(1, *first, ":", "-n", 1, *program, *second, before=program[1:])


def test_ranks_with_different_recipes_are_refused(data, tmp_path):
    said = mixed(tmp_path, ("--data", data, "--batch", 8), ("--data", data, "--batch", 9))
    assert said.endswith("all ranks should have the same batch: rank 0 has 8, rank 1 has 9")
    assert not (tmp_path / "run").exists()


def test_ranks_with_different_pictures_are_refused(data, tmp_path):
    other = tiny.prepared(tmp_path / "other", train=192, test=31, size=36)
    places = [tmp_path / "a" / "tiny", tmp_path / "b" / "tiny"]
    for place, real in zip(places, (data, other), strict=True):
        place.parent.mkdir()
        place.symlink_to(real)
    said = mixed(tmp_path, ("--data", places[0]), ("--data", places[1]))
    assert "all ranks should have the same " in said
    assert not (tmp_path / "run").exists()


def test_what_is_wrong_on_one_rank_is_said_of_that_rank(data, tmp_path):
    said = mixed(tmp_path, ("--data", data), ("--data", tmp_path / "nowhere"))
    assert 'rank 1: unknown data "' in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--batch", 0), "batch should be 1 or more, got 0"),
        (("--limit", 0), "--limit should be above 0, got 0"),
        (("--resume",), "--resume needs --out RUN"),
        (("--no-such",), "unrecognized arguments: --no-such"),
    ],
)
def test_wrong_words_are_refused_once(words, expected):
    assert expected in mpi.refused(2, *words)
