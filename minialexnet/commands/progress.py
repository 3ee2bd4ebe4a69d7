"""How far a long command has come, and how long it will still take."""

import sys


class Progress:
    """A bar for who watches, a line a minute for a log.

    Parameters
    ----------
    total : how many there are to do
    unit : of what
    """

    def __init__(self, total: int, unit: str = " pictures"):
        from tqdm import tqdm

        watched = sys.stderr.isatty()
        self.begun = False
        self.bar = tqdm(
            total=total,
            unit=unit,
            file=sys.stderr if watched else _Lines(),
            mininterval=0.5 if watched else 60,
            delay=0 if watched else 60,
            ascii=not watched,
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.bar.close()

    def __call__(self, count: int) -> None:
        """So many more are done; when called first, so many were done before."""
        if not self.begun:
            # They took no time now, and say nothing about the time that is left.
            self.bar.initial = self.bar.n = count
            self.begun = True
        else:
            self.bar.update(count)


class _Lines:
    """What tqdm would draw over and over, as lines."""

    def write(self, text: str) -> None:
        if text := text.strip():
            print(text, flush=True)

    def flush(self) -> None:
        pass
