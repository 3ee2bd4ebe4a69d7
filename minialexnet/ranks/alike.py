"""Ranks that share batches have the same weights, to the bit; looked at before each saving."""

import hashlib
from collections.abc import Mapping

from minialexnet.backend import Device
from minialexnet.ranks.alone import Alone


class Differing(Exception):
    """The ranks no longer train one network; what was saved last is still good."""


def demand_alike(ranks: Alone, params: Mapping, device: Device) -> None:
    """Raise Differing, on all ranks, unless the parameters are the same on all of them.

    Parameters
    ----------
    params : {name: array}, on the device
    """
    if ranks.size == 1:
        return
    mine = {
        name: hashlib.sha256(device.get(array).tobytes()).digest() for name, array in params.items()
    }
    first, *others = ranks.each(mine)
    for rank, theirs in enumerate(others, 1):
        for name, digest in first.items():
            if theirs[name] != digest:
                raise Differing(
                    f"rank {rank} has another {name} than rank 0: a fault of its memory, of the "
                    "network between them, or a library that adds up in another order there"
                )
