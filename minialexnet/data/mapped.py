"""Memory-mapped pictures: what the operating system is told about them.

A mapped file is part of a process's memory as far as it has been touched, although every page of it
could be given back at any time. Numbers that say how much memory a program takes count it.
"""

import mmap

import numpy as np


def expect(images: np.ndarray, which: np.ndarray) -> None:
    """Let pictures be fetched from the disk, all at the same time, before they are needed.

    Parameters
    ----------
    images : (N, H, W, 3), of a mapped file; anything else is left alone
    which : (n,) the pictures
    """
    mapped = _mapped(images)
    if mapped is None or not hasattr(mmap, "MADV_WILLNEED"):
        return
    size = images[0].nbytes
    for place in which.tolist():
        # The file has a header of its own, which may begin on another page than the pictures.
        start = (images.offset + place * size) // mmap.PAGESIZE * mmap.PAGESIZE
        mapped.madvise(mmap.MADV_WILLNEED, start, min(size + mmap.PAGESIZE, len(mapped) - start))


def forget(images: np.ndarray) -> None:
    """Give back the memory of what has been read; the operating system may keep it all the same."""
    mapped = _mapped(images)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _mapped(images) -> mmap.mmap | None:
    return images._mmap if isinstance(images, np.memmap) and images.mode == "r" else None
