"""What is said of files that others have made: one short line, whatever the file says."""

from collections.abc import Iterator
from contextlib import contextmanager

from minialexnet.errors import InputError


def cut(text, length: int = 60) -> str:
    """The beginning of a text, without line ends and whatever else steers a terminal."""
    text = str(text)
    if len(text) > length:
        text = text[: length - 3] + "..."
    return "".join(one if one.isprintable() else "?" for one in text)


@contextmanager
def reading(path, kind: str) -> Iterator[None]:
    """Whatever goes wrong while a file is read becomes an InputError that begins with its path.

    Parameters
    ----------
    kind : what the file should be, such as "a file of PyTorch's"
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes make parsers raise almost anything
        raise InputError(f"{path}: not {kind}, or a damaged one ({cut(error, 200)})") from error
