"""What a program asks of the computer it runs on, so that the layers need not."""

import ctypes
import os
import platform
import sys

# The numbers of these settings in glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8

# How launchers tell a process its number and how many there are: MPICH (and Slurm's pmi2), Open
# MPI, MVAPICH, and srun without MPI.
LAUNCHERS = (
    ("PMI_RANK", "PMI_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)


def launched(environment=os.environ) -> tuple[int, int]:
    """The number of this process, and how many were started together: (0, 1) without a launcher."""
    for rank, size in LAUNCHERS:
        number, count = environment.get(rank, ""), environment.get(size, "")
        if number.isdecimal() and count.isdecimal():
            return int(number), int(count)
    return 0, 1


def threads() -> int:
    """How many processors this process may use."""
    return len(mine())


def mine() -> set[int]:
    """The numbers of the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def count() -> int:
    """How many processors there are."""
    return os.cpu_count() or 1


def name() -> str:
    """What the processor calls itself."""
    try:
        with open("/proc/cpuinfo") as file:
            lines = [line for line in file if line.startswith("model name")]
    except OSError:
        lines = []
    found = lines[0].partition(":")[2].strip() if lines else platform.processor()
    return found or platform.machine()


def memory() -> int | None:
    """Bytes of memory; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def settle() -> None:
    """Set up this process for training on its processors. Call it before NumPy is imported."""
    # After each product OpenBLAS's threads spin for some 20 ms in case there is another, on a
    # processor that the next slice could use. With 2^4 clock ticks they sleep at once.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Ask the C library to keep freed memory for the next array; on Linux, elsewhere do nothing.

    A training step makes and drops the same arrays again and again. By default every larger one is
    handed back to the operating system, and the next one costs a page fault for every 4 KiB.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_ARENA_MAX, 1)
