"""What a device can do at most, as measured there: multiply matrices, and copy memory."""

import numpy as np

from minialexnet.backend import Device, on_gpu
from minialexnet.bench.clock import timed

# Side of the square matrices, and bytes of what is copied: enough to keep all of a GPU busy, and
# more than any cache holds.
SIDE, COPIED = 8192, 2**30
CPU_SIDE, CPU_COPIED = 1024, 2**26


def matrix_peak(device: Device, precision: str, side: int = 0) -> float:
    """Multiply-adds a second of one big square matrix product, median.

    Parameters
    ----------
    device : has been prepared for the precision
    precision : float32 or tf32 (of float32 matrices) or float16
    side : of the matrices; 0: what suits the device
    """
    side = side or (SIDE if on_gpu(device.name) else CPU_SIDE)
    rng = np.random.default_rng(0)
    a, b = (
        device.put(
            rng.standard_normal((side, side), dtype=np.float32).astype(
                np.float16 if precision == "float16" else np.float32
            )
        )
        for _ in range(2)
    )
    return side**3 / timed(lambda: a @ b, device)


def copy_bandwidth(device: Device, size: int = 0) -> float:
    """Bytes a second that are read and written by a copy from memory to memory, median.

    Parameters
    ----------
    size : of what is copied, bytes; 0: what suits the device
    """
    size = size or (COPIED if on_gpu(device.name) else CPU_COPIED)
    array = device.put(np.ones(size // 4, np.float32))
    return 2 * size / timed(lambda: array.copy(), device)
