"""One process by itself: all that ranks ask of each other, and the answers where there is one."""

from collections.abc import Callable, Mapping
from typing import Any

from minialexnet import processor
from minialexnet.data.share import Share, share_of
from minialexnet.errors import InputError


class Agreed(InputError):
    """An error that every rank knows of and raises: one line says it, and nobody waits."""


class Alone:
    """The only rank. It sees all of every batch, and its gradients are the gradients.

    Attributes
    ----------
    rank, size : the number of this process, from 0 on, and how many there are
    local_rank, local_size : the same among the processes of this machine
    seconds : spent in messages so far, waiting for others included
    sent : {what: bytes} that this rank has given to messages
    """

    rank, size = 0, 1
    local_rank, local_size = 0, 1
    seconds = 0.0

    def __init__(self):
        self.sent: dict[str, int] = {}

    @property
    def first(self) -> bool:
        """Whether this is the rank that prints and writes."""
        return self.rank == 0

    def share(self, count: int) -> Share:
        """Which of so many images are this rank's."""
        return share_of(count, self.rank, self.size)

    def threads(self) -> int:
        """How many processors this rank may use."""
        return processor.threads()

    def on(self, device) -> "Alone":
        """The same ranks, for arrays that live on this device: GPUs talk through NCCL."""
        return self

    def mean(self, grads: Mapping, weight: float) -> Mapping:
        """The gradients of the whole batch.

        Parameters
        ----------
        grads : {name: array}, the mean over the images of this rank
        weight : this rank's share of the images

        Returns
        -------
        {name: array}, to be used before the next call
        """
        return grads

    def total(self, *numbers: float) -> tuple[float, ...]:
        """Each number added up over the ranks."""
        return numbers

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Each flag, True if it is so on any rank."""
        return flags

    def each(self, value: Any) -> list:
        """What every rank has for a value, in the order of the ranks."""
        return [value]

    def given(self, value: Any) -> Any:
        """What the first rank has for a value."""
        return value

    def together(self, work: Callable[[], Any]) -> Any:
        """What `work()` returns here; if it cannot be done on one rank, none goes on.

        Raises
        ------
        Agreed
            On every rank, if `work` raised an InputError, an OSError or a MemoryError on any.
        """
        return work()

    def demand_same(self, facts: Mapping[str, Any]) -> None:
        """Raise Agreed, on all ranks, unless all have the same facts: {what: value}."""
