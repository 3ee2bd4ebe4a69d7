"""What says how long a piece of work took: the machine's clock, or the GPU's own."""

from collections.abc import Callable
from itertools import pairwise
from statistics import median
from time import perf_counter

from minialexnet.backend import Device, on_gpu


class Clock:
    """Seconds by part, of work that is done when it returns."""

    def __init__(self):
        self.parts, self.last = {}, perf_counter()

    def lap(self, part: str) -> None:
        """The time since the last reading was spent on this part."""
        now = perf_counter()
        self.parts[part] = self.parts.get(part, 0.0) + now - self.last
        self.last = now

    def seconds(self) -> dict[str, float]:
        """{part: seconds} so far."""
        return self.parts


class Events:
    """The same on a GPU, which is told to write down when it comes past each reading.

    Nothing waits for the GPU until somebody asks for the seconds.

    Parameters
    ----------
    event : makes one, as CuPy and PyTorch have them
    between : milliseconds between two of them
    """

    def __init__(self, event: Callable, between: Callable):
        self.event, self.between, self.marks = event, between, []
        self.lap("")

    def lap(self, part: str) -> None:
        event = self.event()
        event.record()
        self.marks.append((part, event))

    def seconds(self) -> dict[str, float]:
        self.marks[-1][1].synchronize()
        parts = {}
        for (_, before), (part, event) in pairwise(self.marks):
            parts[part] = parts.get(part, 0.0) + self.between(before, event) / 1000
        return parts


def clock(device: Device | str):
    """A new clock for work on this device, which begins now."""
    if not on_gpu(getattr(device, "name", device)):
        return Clock()
    import cupy

    return Events(cupy.cuda.Event, cupy.cuda.get_elapsed_time)


def torch_clock(name: str):
    """The same for what PyTorch does there."""
    if not on_gpu(name):
        return Clock()
    import torch

    return Events(
        lambda: torch.cuda.Event(enable_timing=True), lambda one, two: one.elapsed_time(two)
    )


def timed(work, device: Device, rounds: int = 5, warm: int = 2) -> float:
    """Median seconds of a piece of work on the device, after it was done `warm` times untimed."""
    took = []
    for number in range(warm + rounds):
        watch = clock(device)
        work()
        watch.lap("work")
        if number >= warm:
            took.append(watch.seconds()["work"])
    return median(took)
