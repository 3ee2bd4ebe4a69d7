"""The one kind of error that is the caller's to mend."""


class InputError(ValueError):
    """Something that was handed in cannot be used.

    The message is one line in the caller's words: what it is about, what was expected and what
    came. The command line prints it and ends with exit code 2; every other exception is a bug and
    keeps its traceback.
    """
