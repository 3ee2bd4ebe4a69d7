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


# What may go wrong without a mistake in this program.
OUTSIDE = (InputError, OSError, MemoryError)


def said(error: BaseException) -> str:
    """An error in one line of the caller's words, if it is one of OUTSIDE."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, MemoryError):
        return f"there is not enough memory for that ({error or 'no size known'})"
    return str(error)
