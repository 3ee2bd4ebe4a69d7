"""The devices that tests run on beside NumPy: the strict one, and a GPU where there is one."""

import numpy as np
import pytest

from minialexnet import strict
from minialexnet.backend import Device, device
from minialexnet.errors import InputError

# Of the largest number: a GPU adds up in another order.
TOLERANCE = 1e-4


def _gpu():
    """A GPU as a parameter of tests, or the reason why they are left out."""
    try:
        return pytest.param(device("cuda"), id="cuda")
    except InputError as error:
        return pytest.param(None, id="cuda", marks=pytest.mark.skip(reason=str(error)))


ACCELERATORS = [pytest.param(strict.device(), id="strict"), _gpu()]

on_each_accelerator = pytest.mark.parametrize("on", ACCELERATORS)


def same(ours, theirs, on: Device, tolerance: float = TOLERANCE) -> None:
    """Assert that two dicts of host arrays are equal: bit for bit on the strict device."""
    assert ours.keys() == theirs.keys()
    for name, array in theirs.items():
        assert ours[name].dtype == array.dtype
        limit = 0 if on.name == "strict" else tolerance * abs(array).max()
        np.testing.assert_allclose(ours[name], array, rtol=0, atol=limit, err_msg=name)
