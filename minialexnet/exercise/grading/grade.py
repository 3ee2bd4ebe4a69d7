"""A class's marks: students side by side, each in a process of its own."""

import json
import os
import tempfile
import time
from contextlib import ExitStack
from multiprocessing import connection, get_context
from pathlib import Path

from minialexnet.exercise import EXERCISES
from minialexnet.exercise.grading import hollow, mark, protection, submission
from minialexnet.exercise.grading.clock import IDLE

# A student whose marking takes so many times what the limits allow, by the clock on the wall, is
# given up.
PATIENCE = 3 * IDLE


def grade(homework, folder: Path, processes: int, progress=lambda: None, guard=None) -> dict:
    """The marks of everybody who handed in.

    Parameters
    ----------
    homework : a `Homework`
    folder : has a folder or a file for each student
    processes : how many students are marked at once
    progress : called after each
    guard : a `protection.Protection`; the best that works here if not given

    Returns
    -------
    {student: what `mark.marks` returns}, in the order of their names
    """
    waiting = list(submission.students(folder).items())
    guard = guard or protection.found(homework.limits)
    found = {}
    with ExitStack() as stack:
        # Also of those that are killed before they can clear up.
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="minialexnet-"))
        os.chmod(scratch, 0o711)
        libraries = {}
        for name in homework.exercises:
            libraries[name] = os.path.join(scratch, name)
            os.mkdir(libraries[name])
            hollow.write(Path(libraries[name]), EXERCISES[name])
        context = get_context("forkserver")
        context.set_forkserver_preload([mark.__name__])
        running: dict = {}
        stack.callback(_stop, running)
        waiting.reverse()
        while waiting or running:
            while waiting and len(running) < processes:
                student, path = waiting.pop()
                ours, theirs = context.Pipe(duplex=False)
                words = (theirs, path.absolute(), homework, libraries, guard, scratch)
                process = context.Process(target=mark.work, args=words, daemon=False)
                process.start()
                theirs.close()
                running[ours] = (student, process, time.monotonic() + _patience(homework))
            ready = connection.wait(list(running), 1.0)
            late = [one for one, (*_, end) in running.items() if time.monotonic() > end]
            for channel in dict.fromkeys([*ready, *late]):
                student, process, _ = running.pop(channel)
                found[student] = _marks(channel, process, homework)
                progress()
    return {student: found[student] for student in sorted(found)}


def _patience(homework) -> float:
    limits = homework.limits
    return 60 + PATIENCE * (limits.whole + 2 * limits.seconds) * len(homework.exercises)


def _marks(channel, process, homework) -> dict:
    """What a process says, or no marks if it has been stopped from within or comes to no end."""
    try:
        found = json.loads(channel.recv_bytes()) if channel.poll() else None
    except (EOFError, OSError):
        found = None
    channel.close()
    if found is None:
        process.kill()
        found = {
            "marked": False,
            "remarks": ["this submission could not be marked: look at it, and mark it again"],
            "exercises": {
                name: mark._told(None, one.points, mark._failed(EXERCISES[name], ""), (), ())
                for name, one in homework.exercises.items()
            },
        }
    process.join()
    process.close()
    return found


def _stop(running) -> None:
    for channel, (_, process, _) in running.items():
        process.kill()
        process.join()
        channel.close()


def processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
