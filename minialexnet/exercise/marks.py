"""Checking an answer: every check by itself, whatever the answer does."""

import contextlib
import io
import linecache
import os
import traceback
import warnings

import numpy as np

from minialexnet.exercise.base import Check, Exercise, Failed, Result
from minialexnet.exercise.catalogue import exercise

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NUMPY = os.path.dirname(os.path.abspath(np.__file__))


def results(name: str, candidate, seed: int = 0) -> list[Result]:
    """What each check of an exercise says of an answer. It raises for nothing the answer does.

    Parameters
    ----------
    name : of the exercise
    candidate : the student's class or function
    seed : decides shapes and numbers; 0 is what students see

    Raises
    ------
    KeyError
        If there is no exercise of that name.
    """
    one = exercise(name)
    return [_result(one, check, number, candidate, seed) for number, check in enumerate(one.checks)]


def _result(one: Exercise, check: Check, number: int, candidate, seed: int) -> Result:
    # Every check has numbers of its own, so none depends on the others.
    rng = np.random.default_rng([seed, *one.name.encode(), number])
    message = ""
    with _quiet():
        try:
            check.run(candidate, rng)
        except KeyboardInterrupt:
            raise
        except Failed as failure:
            message = str(failure) or "failed"
        except BaseException as error:
            message = _raised(error)
    return Result(check.name, check.points, 0.0 if message else float(check.points), message)


@contextlib.contextmanager
def _quiet():
    """Nothing printed, no warnings, and NumPy's settings as they were."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
    ):
        warnings.simplefilter("ignore")
        yield


def _raised(error: BaseException) -> str:
    """What the student is told of an exception: what it was, and in which line of theirs."""
    try:
        said = " ".join(str(error).split())[:300]
    except BaseException:
        said = ""
    if isinstance(error, NotImplementedError):
        message = f"not written yet ({said})" if said else "not written yet"
    else:
        message = f"{type(error).__name__}: {said}" if said else type(error).__name__
    theirs = [frame for frame in traceback.extract_tb(error.__traceback__) if _foreign(frame)]
    if theirs:
        last = theirs[-1]
        line = (last.line or linecache.getline(last.filename, last.lineno)).strip()
        message += f"\nin line {last.lineno} of your {last.name}: {line}"
    return message


def _foreign(frame) -> bool:
    path = os.path.abspath(frame.filename)
    return not path.startswith((PACKAGE, NUMPY))


def check(name: str, candidate, points: float | None = None, seed: int = 0) -> float:
    """Check an answer and print a line for each check, with what to look at where one fails.

    Parameters
    ----------
    name : of the exercise
    candidate : the student's class or function
    points : what the whole exercise is worth; the sum of the checks' points if None
    seed : decides shapes and numbers

    Returns
    -------
    the points earned, a Python float
    """
    found = results(name, candidate, seed)
    total = float(sum(result.points for result in found))
    worth = total if points is None else float(points)
    earned = worth * sum(result.earned for result in found) / total
    print(report(found))
    print(f"{name}: {earned:.4g} of {worth:.4g} points")
    return float(earned)


def report(found: list[Result]) -> str:
    """The results as lines to read."""
    lines = []
    width = max((len(result.check) for result in found), default=0)
    said: dict[str, str] = {}
    for result in found:
        mark = "ok" if not result.message else "NO" if result.points else "remark"
        first = said.setdefault(result.message, result.check)
        again = f" (as {first})" if result.message and first != result.check else ""
        lines.append(f"{result.check:<{width}}  {mark}{again}")
        if not again:
            lines += [f"    {line}" for line in result.message.splitlines()]
    return "\n".join(lines)


def hint(name: str, step: int = 1) -> None:
    """Print a hint: step 1, 2 or 3, each giving away more than the one before."""
    hints = exercise(name).hints
    if step not in range(1, len(hints) + 1):
        raise ValueError(f"expected a step from 1 to {len(hints)}, got {step}")
    print(hints[step - 1])
