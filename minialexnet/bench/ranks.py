"""Several ranks with one thread each against one rank with several threads, in turn.

Run as a program, under mpiexec, this file is one rank of a contender that waits for its turns.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median

from minialexnet.bench.work import Work
from minialexnet.errors import InputError

# Seconds between two looks of a waiting rank, so that it takes no processor from who has a turn.
NAP = 0.02


def mpiexec() -> str:
    """Where mpiexec is: beside Python, as pip installs it, or on the path."""
    beside = Path(sys.executable).with_name("mpiexec")
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None:
        raise InputError("--ranks needs MPI, which is not installed: pip install mpi4py mpich")
    return found


class Contender:
    """So many ranks that wait for their turns."""

    def __init__(self, ranks: int, work: Work):
        words = [mpiexec(), "-n", str(ranks)] if ranks > 1 else []
        self.process = subprocess.Popen(
            [*words, sys.executable, "-m", __name__, json.dumps(asdict(work))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def steps(self, count: int) -> dict[str, float]:
        """Mean seconds of each part of a step, over so many."""
        try:
            print(count, file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (OSError, ValueError) as error:
            raise InputError("--ranks: a contender ended; its own words are above") from error

    def end(self) -> None:
        """End its processes."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def efficiency(work: Work, ranks: int, rounds: int, steps: int) -> dict:
    """Run both in turn.

    Parameters
    ----------
    work : of the whole batch; its threads are shared out among the ranks
    ranks : how many
    rounds, steps : turns of each, and steps in a turn

    Returns
    -------
    one, many : {part: [seconds of a step, in each round]}
    ratio : speed of many to that of one: {median, lowest, highest} over the rounds
    communication : share of a step of many, median
    """
    if work.threads % ranks or work.batch < ranks:
        raise InputError(
            f"--ranks {ranks} cannot share {work.threads} threads and a batch of {work.batch}"
        )
    mpiexec()
    found = {"one": [], "many": []}
    contenders = {
        "one": Contender(1, work),
        "many": Contender(ranks, replace(work, threads=work.threads // ranks)),
    }
    try:
        for one in contenders.values():
            one.steps(1)  # a warm-up
        for number in range(rounds):
            # Whoever goes first does not do so again.
            for name in list(contenders)[:: 1 if number % 2 else -1]:
                found[name].append(contenders[name].steps(steps))
    finally:
        for one in contenders.values():
            one.end()
    pairs = zip(found["one"], found["many"], strict=True)
    ratios = [sum(one.values()) / sum(many.values()) for one, many in pairs]
    shares = [many["communication"] / sum(many.values()) for many in found["many"]]
    return {
        "work": asdict(work),
        "ranks": ranks,
        **found,
        "ratio": {"median": median(ratios), "lowest": min(ratios), "highest": max(ratios)},
        "communication": median(shares),
    }


def table(result: dict) -> str:
    """The result of `efficiency` to read."""
    work, ranks, ratio = result["work"], result["ranks"], result["ratio"]
    speed = {
        name: work["batch"] / median(sum(one.values()) for one in result[name])
        for name in ("one", "many")
    }
    each = work["threads"] // ranks
    many = f"{ranks} ranks of {each} thread" + ("s" if each > 1 else "")
    return "\n".join(
        [
            f"{work['network']}, training, batch {work['batch']} in all; medians",
            f"{'1 rank of ' + str(work['threads']) + ' threads':24}{speed['one']:9,.1f} images/s",
            f"{many:24}{speed['many']:9,.1f} images/s",
            f"{ratio['median']:.3f} times ({ratio['lowest']:.3f} to {ratio['highest']:.3f} over "
            f"{len(result['one'])} rounds); {result['communication']:.1%} of a step is "
            "communication, waiting for the slower rank included",
        ]
    )


def _serve(ranks, work: Work) -> int:
    from minialexnet.bench.contenders import minialexnet

    step = minialexnet(work, ranks)
    while count := _turn(ranks):
        clocks = [step() for _ in range(count)]
        rounds = [one.seconds() for one in clocks]
        if ranks.first:
            parts = {part: sum(one[part] for one in rounds) / count for part in rounds[0]}
            print(json.dumps(parts), flush=True)
    return 0


def _turn(ranks) -> int:
    """How many steps to do now; 0 at the end."""
    if ranks.first:
        count = int(sys.stdin.readline() or 0)
    if ranks.size == 1:
        return count
    import numpy as np

    asked = np.array([count if ranks.first else 0])
    request = ranks.comm.Ibcast(asked)
    while not request.Test():
        time.sleep(NAP)
    return int(asked[0])


if __name__ == "__main__":
    from minialexnet import processor
    from minialexnet.ranks import over_ranks

    processor.settle()
    todo = Work(**json.loads(sys.argv[1]))
    os.environ.setdefault("OPENBLAS_NUM_THREADS", str(todo.threads))
    sys.exit(over_ranks(lambda ranks: _serve(ranks, todo)))
