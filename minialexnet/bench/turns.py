"""Contenders take turns, a round of steps each.

Each lives in a process of its own, so that memory is counted apart and no library's threads disturb
another's. They alternate because the speed of a machine changes from minute to minute.
"""

import multiprocessing
import sys
from dataclasses import asdict
from importlib.util import find_spec

import numpy as np
from threadpoolctl import threadpool_limits

from minialexnet.backend import device, on_gpu
from minialexnet.bench.contenders import CONTENDERS, Step
from minialexnet.bench.limits import matrix_peak
from minialexnet.bench.work import Work
from minialexnet.cost import multiply_adds, training_multiply_adds
from minialexnet.errors import InputError

IMAGENET, IMAGENET_EPOCHS = 1_281_167, 90
# Long enough for a round not to be lost in the clock, short enough to take turns.
ROUND_SECONDS = 1.0
OURS = "minialexnet"


class Contender:
    """One of CONTENDERS in a process of its own, which waits for its turns."""

    def __init__(self, name: str, work: Work):
        context = multiprocessing.get_context("spawn")
        self.name = name
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(name, work, other), daemon=True)
        self.process.start()
        other.close()

    def ask(self, what: str, *numbers):
        """The answer of its process to one of "steps", "peak" and "memory"."""
        try:
            self.pipe.send((what, numbers))
            answer = self.pipe.recv()
        except (EOFError, BrokenPipeError) as error:
            raise InputError(
                f"{self.name}: its process ended, perhaps for want of memory"
            ) from error
        if isinstance(answer, InputError):
            raise answer
        return answer

    def end(self) -> None:
        """End its process."""
        self.process.terminate()
        self.process.join()


def _serve(name: str, work: Work, pipe) -> None:
    try:
        step = CONTENDERS[name](work)
    except InputError as error:
        pipe.recv()
        pipe.send(error)
        return
    answers = {
        "steps": lambda count: _round(step, count),
        "peak": lambda: peak(work),
        "memory": lambda: _memory(name, work),
    }
    while True:
        what, numbers = pipe.recv()
        pipe.send(answers[what](*numbers))


def _round(step: Step, count: int) -> dict[str, float]:
    """Mean seconds of each part of a step, over some steps."""
    clocks = [step() for _ in range(count)]
    rounds = [one.seconds() for one in clocks]
    return {part: sum(one[part] for one in rounds) / count for part in rounds[0]}


def peak(work: Work) -> float:
    """Multiply-adds a second of one big matrix product, where and how the work is done."""
    with threadpool_limits(work.threads, user_api="blas"):
        return matrix_peak(device(work.device), work.precision)


def _memory(name: str, work: Work) -> int:
    """The most memory that a contender has held so far, bytes: of the GPU where it works on one."""
    if not on_gpu(work.device):
        return peak_memory()
    if name == OURS:
        import cupy

        # Nothing goes back from there to the GPU.
        return cupy.get_default_memory_pool().total_bytes()
    import torch

    return torch.cuda.max_memory_reserved()


def peak_memory() -> int:
    """The most memory that this process has held so far, bytes."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


# ----------------------------------------------------------------------------- the measurement


def measured(work: Work, against: bool = False, rounds: int = 5, steps: int = 0) -> dict:
    """Run the contenders in turn.

    Parameters
    ----------
    against : PyTorch too, in both its layouts
    rounds : turns of each contender
    steps : steps in a turn; 0: about a second's worth

    Returns
    -------
    work : its fields
    contenders : {name: {seconds: {part: [of a step, in each round]}, images_per_s: median,
        memory: bytes}}
    ratio : ours to PyTorch's better layout, images/s: {median, lowest, highest} over the rounds
    peak : multiply-adds a second of a big matrix product in this precision, median over the rounds
    share_of_peak : what our steps do of that
    imagenet_hours : 90 epochs of it at our speed (training a network of 1000 classes)
    """
    if against:
        _demand_torch()
    names = list(CONTENDERS) if against else ["minialexnet"]
    contenders = [Contender(name, work) for name in names]
    found = {name: {"seconds": {}} for name in names}
    peaks = []
    try:
        counts = {}
        for one in contenders:
            one.ask("steps", 1)  # a warm-up
            counts[one.name] = steps or _worth(one.ask("steps", 1))
            if on_gpu(work.device):
                # The pool of a GPU keeps what the big products below take, too.
                found[one.name]["memory"] = one.ask("memory")
        for _ in range(rounds):
            peaks.append(contenders[0].ask("peak"))
            for one in contenders:
                for part, seconds in one.ask("steps", counts[one.name]).items():
                    found[one.name]["seconds"].setdefault(part, []).append(seconds)
        for one in contenders:
            if "memory" not in found[one.name]:
                found[one.name]["memory"] = one.ask("memory")
    finally:
        for one in contenders:
            one.end()
    return result(work, found, peaks)


def _demand_torch() -> None:
    if find_spec("torch") is None:
        raise InputError("--against torch needs PyTorch, which is not installed: pip install torch")


def _worth(parts: dict[str, float]) -> int:
    """How many such steps make a round."""
    return max(1, round(ROUND_SECONDS / sum(parts.values())))


def result(work: Work, found: dict, peaks: list[float]) -> dict:
    """What `measured` returns, from the seconds of each round and the peaks."""
    speeds = {}
    for name, one in found.items():
        seconds = np.sum(list(one["seconds"].values()), axis=0)
        speeds[name] = work.batch / seconds
        one["images_per_s"] = float(np.median(speeds[name]))
    ours = found["minialexnet"]["images_per_s"]
    outcome = {"work": asdict(work), "contenders": found}
    if len(found) > 1:
        better = max(
            (n for n in found if n != "minialexnet"), key=lambda n: found[n]["images_per_s"]
        )
        ratios = speeds["minialexnet"] / speeds[better]
        outcome["ratio"] = {
            "to": better,
            "median": ours / found[better]["images_per_s"],
            "lowest": float(ratios.min()),
            "highest": float(ratios.max()),
        }
    if peaks:
        net = work.net()
        training = work.task == "train"
        each = (
            training_multiply_adds(net, work.shape)
            if training
            else sum(multiply_adds(net, work.shape).values())
        )
        outcome["peak"] = float(np.median(peaks))
        outcome["share_of_peak"] = ours * each / outcome["peak"]
    if work.task == "train" and work.classes == 1000:
        outcome["imagenet_hours"] = IMAGENET_EPOCHS * IMAGENET / ours / 3600
    return outcome
