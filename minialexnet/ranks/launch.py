"""How the processes that were started together find each other, and how their job ends."""

import warnings
from collections.abc import Callable

from minialexnet import processor
from minialexnet.errors import InputError
from minialexnet.ranks.alone import Agreed, Alone

# Seconds that ranks wait for each other. It has to do for what one of them does alone: saving.
LIMIT = 300.0


def over_ranks(work: Callable[[Alone], int], limit: float = LIMIT) -> int:
    """Do something on every rank that was started; an error on one ends it on all.

    Parameters
    ----------
    work : gets what this rank talks to the others through, and returns an exit code
    limit : seconds that a rank waits for the others

    Returns
    -------
    the exit code

    Raises
    ------
    InputError
        On the first rank alone, which says it for all; the others return 2.
    """
    rank, size = processor.launched()
    if size == 1:
        return work(Alone())
    try:
        ranks = _world(size, limit)
    except InputError:
        if rank == 0:
            raise
        return 2
    try:
        return work(ranks)
    except Agreed:
        if ranks.first:
            raise
        return 2
    except BaseException as error:
        ranks.broken(error)
        raise


def _world(size: int, limit: float) -> Alone:
    try:
        # What it finds odd about the launcher is said below.
        with warnings.catch_warnings(action="ignore"):
            from mpi4py import MPI
    except ImportError as error:
        raise InputError(
            f"{size} processes were started, and without mpi4py each would train by itself: "
            f"pip install mpi4py ({error})"
        ) from error
    from minialexnet.ranks.mpi import Mpi

    if MPI.COMM_WORLD.size != size:
        library = " ".join(MPI.Get_library_version().split("\n")[0].strip("\0").split())
        raise InputError(
            f"{size} processes were started, and mpi4py sees {MPI.COMM_WORLD.size}: the launcher "
            f"belongs to another MPI than mpi4py, which uses {library}"
        )
    return Mpi(MPI.COMM_WORLD, limit)
