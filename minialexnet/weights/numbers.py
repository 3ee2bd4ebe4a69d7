"""Numbers as files hold them, made into numbers to calculate with."""

import numpy as np


def native(part: np.ndarray, bfloat16: bool = False) -> np.ndarray:
    """A copy in this machine's order, row by row; floating-point numbers of any kind as float32.

    Parameters
    ----------
    bfloat16 : whether the array, of two bytes each, is of this kind, which NumPy does not have:
        the upper two bytes of a float32
    """
    if bfloat16:
        return (part.astype(np.uint32, order="C") << 16).view(np.float32)
    if part.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return part.astype(np.float32, order="C")
    return part.astype(part.dtype.newbyteorder("="), order="C")
