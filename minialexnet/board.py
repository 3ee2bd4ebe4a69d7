"""A run's curves for TensorBoard, by tensorboardX, which needs no TensorFlow."""

from importlib.util import find_spec
from pathlib import Path

from minialexnet.errors import InputError

# Everything in a row of the log but where it belongs.
PLACE = "epoch"


def demand_installed() -> None:
    """Raise InputError unless tensorboardX is installed. To be asked before a run is begun."""
    if find_spec("tensorboardX") is None:
        raise InputError('--tensorboard needs tensorboardX: pip install "minialexnet[tensorboard]"')


class Board:
    """A file of events in the folder of a run, which TensorBoard reads while it grows.

    Parameters
    ----------
    folder : of the run
    epoch : where it begins; what an earlier process wrote beyond that is no longer shown

    """

    def __init__(self, folder: Path, epoch: int):
        from tensorboardX import SummaryWriter

        self.writer = SummaryWriter(str(folder), purge_step=epoch + 1 if epoch else None)

    def add(self, row: dict) -> None:
        """Write a row of the log."""
        for name, value in row.items():
            if name != PLACE:
                self.writer.add_scalar(name, value, row[PLACE])
        self.writer.flush()

    def close(self) -> None:
        """End the file."""
        self.writer.close()
