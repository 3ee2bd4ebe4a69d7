"""Jobs of several ranks for the tests, under a real mpiexec."""

import os
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

BESIDE = Path(sys.executable).with_name("mpiexec")
MPIEXEC = str(BESIDE) if BESIDE.exists() else shutil.which("mpiexec")
TESTS = Path(__file__).parent
# What several ranks on few processors need: no threads of their own inside a product.
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]),
    # Open MPI's, which binds each rank to one processor and refuses more ranks than those.
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}

needs_mpi = pytest.mark.skipif(
    MPIEXEC is None or find_spec("mpi4py") is None,
    reason="needs mpi4py and mpiexec: pip install mpi4py mpich",
)


def job(ranks, *words, before=(), **settings) -> subprocess.Popen:
    """So many ranks of `minialexnet train`, or of another program in `before`."""
    program = [str(word) for word in (sys.executable, *(before or ("-m", "minialexnet", "train")))]
    # Without a terminal's input mpiexec would wait for one.
    return subprocess.Popen(
        [MPIEXEC, "-n", str(ranks), *program, *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        **settings,
    )


def ended(process, seconds=90):
    """The exit code of a job, what it printed, and its errors."""
    try:
        said, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, said, errors


def done(ranks, *words, **settings) -> str:
    """What a job printed that went well."""
    code, said, errors = ended(job(ranks, *words, **settings))
    assert code == 0, errors
    assert errors == ""
    return said


def refused(ranks, *words, **settings) -> str:
    """The one line of a job that could not begin."""
    code, said, errors = ended(job(ranks, *words, **settings))
    assert code == 2, errors
    assert said == ""
    lines = errors.splitlines()
    assert len(lines) == 1, errors
    return lines[0]


def pid_of(rank, words) -> int:
    """The process of a rank of the one job whose command line has these words."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            line = (folder / "cmdline").read_bytes().split(b"\0")
            settings = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        numbers = {f"PMI_RANK={rank}".encode(), f"OMPI_COMM_WORLD_RANK={rank}".encode()}
        if str(words).encode() in line and numbers & set(settings):
            return int(folder.name)
    raise AssertionError(f"no rank {rank} of {words}")


def gone(pid) -> bool:
    """Whether a process has ended, or does so within two seconds."""
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":  # nobody has asked yet how it ended
            return True
        time.sleep(0.05)
    return False
