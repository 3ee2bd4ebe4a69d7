"""Who started this process, how many there are, and how their job ends."""

import os
from collections.abc import Callable

from minialexnet.errors import InputError
from minialexnet.ranks.alone import Agreed, Alone

# How launchers tell a process its number and how many there are: MPICH (and Slurm's pmi2), Open
# MPI, MVAPICH, and srun without MPI.
LAUNCHERS = (
    ("PMI_RANK", "PMI_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"),
    ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),
)
# Seconds that ranks wait for each other. It has to do for what one of them does alone: saving.
LIMIT = 300.0


def launched(environment=os.environ) -> tuple[int, int]:
    """The number of this process, and how many were started together: (0, 1) without a launcher."""
    for rank, size in LAUNCHERS:
        number, count = environment.get(rank, ""), environment.get(size, "")
        if number.isdecimal() and count.isdecimal():
            return int(number), int(count)
    return 0, 1


def demand_alone(command: str) -> None:
    """Raise InputError if several processes were started for what one does."""
    _, size = launched()
    if size > 1:
        raise InputError(
            f"{command} runs in one process, and {size} were started: leave mpiexec out"
        )


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
    rank, size = launched()
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
        from mpi4py import MPI
    except ImportError as error:
        raise InputError(
            f"{size} processes were started, and without mpi4py each would train by itself: "
            f"pip install mpi4py ({error})"
        ) from error
    from minialexnet.ranks.mpi import Mpi

    if MPI.COMM_WORLD.size != size:
        library = MPI.Get_library_version().split("\n")[0].strip("\0 ")
        raise InputError(
            f"{size} processes were started, and mpi4py sees {MPI.COMM_WORLD.size}: the launcher "
            f"belongs to another MPI than mpi4py, which uses {library}"
        )
    return Mpi(MPI.COMM_WORLD, limit)
