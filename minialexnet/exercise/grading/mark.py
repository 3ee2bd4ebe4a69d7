"""One student's marks."""

import json
import os
import re
import resource
import sys
import tempfile
import threading
from multiprocessing import connection, parent_process
from pathlib import Path

from minialexnet.exercise import EXERCISES, results
from minialexnet.exercise.grading import protection, scan, submission
from minialexnet.exercise.grading.session import Candidate, NoAnswer, Session

ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


def marks(path: Path, homework, libraries, guard) -> dict:
    """Mark all exercises of a student, as what JSON can hold.

    Parameters
    ----------
    path : the student's folder or file
    homework : a `Homework`
    libraries : {exercise: the folder that `hollow.write` made for it}
    guard : a `protection.Protection`

    Returns
    -------
    {"marked": True, "remarks": [...], "exercises": {name: {"file", "points", "earned", "checks",
    "remarks", "attempts"}}}; file is None if there is none, or nothing in it; each of checks is
    {"check", "points", "earned", "message"}

    Raises
    ------
    OSError
        If a process could not be started: the student's marks are not known then.
    """
    documents, files, remarks = submission.read(path)
    found = {}
    for name in homework.exercises:
        others = [one for one in homework.exercises if one != name]
        source = submission.source(documents, files, EXERCISES[name], others)
        found[name] = _exercise(name, source, homework, libraries[name], guard)
    if not any(one["file"] for one in found.values()):
        # Why nothing was found.
        remarks += [remark for one in documents for remark in one.remarks]
    remarks = [_clean(remark) for remark in remarks]
    return {"marked": True, "remarks": remarks, "exercises": found}


def _exercise(name, source, homework, library, guard) -> dict:
    exercise = EXERCISES[name]
    points = homework.exercises[name].points
    if source is None:
        checks = _failed(exercise, f"nothing that defines {exercise.provides} was handed in")
        return _told(None, points, checks, (), ())
    with Session(
        source, exercise.provides, library, guard, homework.limits, {exercise.provides}
    ) as session:
        try:
            session.candidate()
        except NoAnswer as error:
            checks = _failed(exercise, str(error))
        except Exception:
            checks = _failed(exercise, _missing(source, session, exercise))
        else:
            checks = _checks(exercise, session, homework.exercises[name].seeds)
        if session.unstarted:
            raise OSError(f"no process could be started to mark {source.file}")
        remarks = [*source.remarks]
        for cell, line, kind, said in session.failed[:5]:
            what = f"{kind}: {said}" if said else kind
            remarks.append(f"{cell}, line {line}: {what}"[:300])
        if session.definitions_only:
            remarks.append(
                f"{source.file} did not come to its end when it was run; its imports, definitions "
                "and assignments alone were used"
            )
    return _told(source.file, points, checks, remarks, scan.notes(source.cells, exercise))


def _checks(exercise, session, seeds) -> list[dict]:
    """Each check at its worst over the seeds."""
    worst: dict[str, dict] = {}
    for seed in seeds:
        for one in results(exercise.name, Candidate(session), seed):
            message = _clean(str(one.message or ""))
            earned = float(min(max(one.earned, 0), one.points))
            if one.check not in worst or earned < worst[one.check]["earned"]:
                worst[one.check] = {
                    "check": one.check,
                    "points": one.points,
                    "earned": earned,
                    "message": message,
                }
    return list(worst.values())


def _failed(exercise, message: str) -> list[dict]:
    return [
        {"check": one.name, "points": one.points, "earned": 0.0, "message": message}
        for one in exercise.checks
    ]


def _missing(source, session, exercise) -> str:
    said = f"{exercise.provides} is not defined when {source.file} has been run"
    for cell, line, kind, message in session.failed[:1]:
        said += f"\n{cell}, line {line}: {kind}: {message}"
    return _clean(said)


def _told(file, points, checks, remarks, attempts) -> dict:
    if checks and all(one["message"].startswith("not written yet") for one in checks):
        file = None
    whole = sum(one["points"] for one in checks)
    share = sum(one["earned"] for one in checks) / whole if whole else 0.0
    return {
        "file": file and _clean(file),
        "points": points,
        "earned": round(points * share, 2),
        "checks": checks,
        "remarks": [_clean(remark) for remark in remarks],
        "attempts": [_clean(attempt) for attempt in attempts],
    }


def _clean(text: str) -> str:
    """Text without what differs between runs, and without what is no Unicode."""
    text = ADDRESS.sub("0x...", text)
    return text.encode("utf-8", "replace").decode()[:2000]


def _end_with(sentinel) -> None:
    """End this process when the grader has gone: what it has started ends with it."""
    connection.wait([sentinel])
    os._exit(1)


def work(channel, path, homework, libraries, guard, scratch=None) -> None:
    """Mark one student in this process, and send the marks as JSON.

    Parameters
    ----------
    scratch : where temporary folders are made
    """
    protection.adopt()
    if (grader := parent_process()) is not None:
        threading.Thread(target=_end_with, args=(grader.sentinel,), daemon=True).start()
    tempfile.tempdir = scratch
    # What a submission hands over may be large, and larger still when it is compared.
    if sys.platform == "linux":
        size = 3 * homework.limits.memory * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    os.chdir("/")
    channel.send_bytes(json.dumps(marks(path, homework, libraries, guard)).encode())
