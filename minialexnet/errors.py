"""The one kind of error that is the caller's to mend."""

from collections.abc import Iterator
from contextlib import contextmanager


class InputError(ValueError):
    """Something that was handed in cannot be used.

    The message is one line in the caller's words: what it is about, what was expected and what
    came. The command line prints it and ends with exit code 2; every other exception is a bug and
    keeps its traceback.
    """


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Let whatever a file's bytes make its parser raise become an InputError.

    Parameters
    ----------
    what : how the message begins, such as "pictures.tar: broken archive"
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:  # broken bytes make parsers raise almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{what}: {reason}") from error
