"""What a program asks of the computer it runs on, so that the layers need not."""

import ctypes
import os
import sys

# The numbers of these settings in glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8


def threads() -> int:
    """How many processors this process may use."""
    return len(mine())


def mine() -> set[int]:
    """The numbers of the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


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
