"""Memory-mapped pictures: what the operating system is told about them.

A mapped file counts as a process's memory as far as it has been touched, although every page of it
could be given back at any time.
"""

import mmap

import numpy as np


def forget(images: np.ndarray) -> None:
    """Give back the memory of what was read of a mapped file; anything else is left alone."""
    if isinstance(images, np.memmap) and images.mode == "r" and hasattr(mmap, "MADV_DONTNEED"):
        images._mmap.madvise(mmap.MADV_DONTNEED)
