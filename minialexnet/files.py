"""Files that are written whole or not at all, and folders that one process has to itself."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from minialexnet.errors import InputError


@contextmanager
def whole(path) -> Iterator[IO[bytes]]:
    """A binary file to write, which becomes `path` only when the block ends well.

    Until then, and for ever if the block fails or the machine stops, `path` stays what it was.

    Raises
    ------
    OSError
        If the folder is missing or cannot be written to, or the disk is full; it names `path`.
    """
    path = Path(path)
    for left in path.parent.glob(f".{path.name}.*"):  # by a process that was killed
        left.unlink(missing_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        draft.unlink(missing_ok=True)
    # The new name is on the disk only when the folder is.
    synced(path.parent)


def synced(path) -> None:
    """Wait until a file or folder has reached the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone(folder, doing: str) -> Iterator[None]:
    """Keep other processes from doing the same in a folder at the same time.

    The lock belongs to the process, not to a file: if it is killed, nothing is left behind.

    Raises
    ------
    InputError
        If another process is in there.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{folder}: another process is {doing} here") from error
        yield
    finally:
        os.close(descriptor)
