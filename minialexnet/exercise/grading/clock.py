"""The time that counts against a submission: that in which it works.

On a busy machine, or one whose disk is slow to begin with, the same answer takes longer by the wall
clock. Nearly all of that is waiting, and marks must not depend on it.
"""

import os
import time
from pathlib import Path

# Seconds of waiting that count as one.
IDLE = 4


class Clock:
    """A process's own time, from now on.

    Its processor time; where that stands still, every IDLE seconds count as one, so that sleep
    comes to an end too. Where the system does not tell (no /proc), every second counts.

    Parameters
    ----------
    process : its number; that of the processes which it has started is counted with it
    """

    def __init__(self, process: int):
        self.process, self.counted = process, 0.0
        self.seen, self.worked = time.monotonic(), worked(process)

    def __call__(self) -> float:
        """Seconds that count, up to now."""
        now, work = time.monotonic(), worked(self.process)
        passed = now - self.seen
        if work is not None and self.worked is not None:
            passed = max(work - self.worked, passed / IDLE)
        self.seen, self.worked = now, work
        self.counted += passed
        return self.counted


def worked(process: int) -> float | None:
    """Seconds of processor time of a process and its children; None if nobody tells."""
    try:
        inner = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        return sum(map(_own, [str(process), *inner]))
    except (OSError, ValueError, IndexError):
        return None


def _own(process: str) -> float:
    # What comes after the name, which may hold anything: proc(5), fields 14 to 17 of the line.
    words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")
