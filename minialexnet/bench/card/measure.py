"""All of a report, one section after the other; what fails does not take the rest with it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from minialexnet.backend import Device, on_gpu
from minialexnet.bench.card import machine, speed
from minialexnet.bench.card.cifar import cifar
from minialexnet.bench.card.page import page
from minialexnet.bench.card.parity import layers_apart, steps_apart
from minialexnet.bench.card.plan import Plan
from minialexnet.bench.card.repeat import repeated
from minialexnet.bench.card.targets import rows
from minialexnet.bench.limits import copy_bandwidth
from minialexnet.files import whole


def measure(place: Device, plan: Plan, folder: Path, say: Callable = print) -> dict:
    """Measure, and write FOLDER/gpu-NAME.json and .md after each section.

    Parameters
    ----------
    say : is told what is measured now
    """
    report = {"machine": machine.machine(place), "command": machine.command()}
    for name, section in sections(place, plan, report, say).items():
        say(f"{name.replace('_', ' ')} ...")
        report[name] = _tried(section)
        _emptied(place)
        write(report, folder)
    return report


def sections(place: Device, plan: Plan, report: dict, say: Callable) -> dict[str, Callable]:
    """What is measured, in order, by name."""
    against = plan.against and machine.torch_usable(report["machine"])
    found = {
        "layers_apart": lambda: layers_apart(place, plan),
        "steps_apart": lambda: steps_apart(place, plan),
        "repeat": lambda: repeated(place, plan),
        "steps": lambda: speed.steps(place, plan, against, say),
        "limits": lambda: _limits(place, plan, report["steps"]),
        "layers": lambda: speed.layers(place, plan),
        "loops": lambda: speed.loops(place, plan, report["steps"], say),
    }
    if plan.cifar10 is not None:
        found["cifar"] = lambda: cifar(place, plan)
    if plan.tests:
        found["tests"] = all_tests
    return found


def _limits(place: Device, plan: Plan, rows: list[dict]) -> dict[str, float]:
    """The largest product that the rows of speeds came with, by precision, and copying."""
    peaks = {}
    for row in rows:
        if "peak" in row:
            peaks[row["precision"]] = max(peaks.get(row["precision"], 0.0), row["peak"])
    return peaks | {"copying": copy_bandwidth(place, plan.copied)}


def _tried(section: Callable):
    try:
        return section()
    except Exception as error:  # whatever it is belongs in the report, beside what did work
        first = (str(error).strip().splitlines() or [""])[0]
        return {"error": f"{type(error).__name__}: {first}"}


def _emptied(place: Device) -> None:
    """Give the GPU's memory back to the processes that are measured next."""
    if on_gpu(place.name):
        import cupy

        cupy.get_default_memory_pool().free_all_blocks()


def all_tests(*more: str) -> dict:
    """Run them in a process of their own: their last line, whether all passed, and which did not.

    Parameters
    ----------
    more : words for pytest
    """
    words = [sys.executable, "-m", "pytest", "-q", "--no-header", *more]
    done = subprocess.run(words, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines() or ["nothing was said"]
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return {"summary": lines[-1].strip("= "), "passed": done.returncode == 0, "failed": failed}


def write(report: dict, folder: Path) -> Path:
    """Write the report as JSON and as a page; the path of the page."""
    name = f"gpu-{machine.slug(report['machine']['name'])}"
    folder.mkdir(parents=True, exist_ok=True)
    told = report | {"targets": [asdict(row) for row in rows(report)]}
    with whole(folder / f"{name}.json") as file:
        file.write(json.dumps(told, indent=2).encode() + b"\n")
    path = folder / f"{name}.md"
    with whole(path) as file:
        file.write(page(report).encode())
    return path
