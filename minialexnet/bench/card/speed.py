"""How fast: steps in each precision and batch, layers, the whole loop."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from minialexnet.backend import Device
from minialexnet.bench.card.plan import Plan
from minialexnet.bench.layers import gpu_layers
from minialexnet.bench.loop import drawn_pictures, loop_speed
from minialexnet.bench.turns import IMAGENET, IMAGENET_EPOCHS, OURS, measured
from minialexnet.bench.work import Work
from minialexnet.errors import InputError


def works(place: Device, plan: Plan) -> list[Work]:
    """Every combination that is measured."""
    engine = "winograd" if place.name == "cpu" else "plain"
    return [
        Work(network, batch, "train", place.name, engine, plan.threads, precision)
        for network in plan.networks
        for precision in plan.precisions
        for batch in plan.batches
    ]


def steps(place: Device, plan: Plan, against: bool, say: Callable) -> list[dict]:
    """A row for each combination: `turns.measured`, in short."""
    rows = []
    for work in works(place, plan):
        say(f"{work.network}, {work.precision}, batch {work.batch}")
        row = {"network": work.network, "precision": work.precision, "batch": work.batch}
        try:
            row |= _short(measured(work, against, plan.rounds, plan.steps))
        except InputError as error:
            row["error"] = str(error)
        rows.append(row)
    return rows


def _short(result: dict) -> dict:
    contenders, ratio = result["contenders"], result.get("ratio")
    ours = contenders[OURS]
    row = {
        "images_per_s": ours["images_per_s"],
        "memory": ours["memory"],
        "peak": result["peak"],
        "share_of_peak": result["share_of_peak"],
    }
    if ratio:
        theirs = contenders[ratio["to"]]
        row |= {
            "torch": ratio["to"],
            "torch_images_per_s": theirs["images_per_s"],
            "torch_memory": theirs["memory"],
            "ratio": ratio["median"],
            "ratio_lowest": ratio["lowest"],
            "ratio_highest": ratio["highest"],
        }
    return row


def layers(place: Device, plan: Plan) -> list[dict]:
    """A table of layers for each network and precision: {network, precision, batch, rows}."""
    tables = []
    for network in plan.networks:
        for precision in plan.precisions:
            work = Work(
                network, plan.layers_batch, "train", place.name, "plain", plan.threads, precision
            )
            rows = gpu_layers(work, place, plan.repeats, plan.side, plan.copied)
            tables.append(
                {
                    "network": network,
                    "precision": precision,
                    "batch": plan.layers_batch,
                    "rows": rows,
                }
            )
    return tables


def loops(place: Device, plan: Plan, rows: list[dict], say: Callable) -> list[dict]:
    """The whole loop for each network and precision, at the batch whose bare step was fastest."""
    found = []
    with TemporaryDirectory() as folder:
        data = drawn_pictures(Path(folder) / "noise", plan.pictures, plan.picture_size, 1000)
        for network in plan.networks:
            for precision in plan.precisions:
                best = fastest(rows, network, precision)
                if best is None:
                    continue
                say(f"{network}, {precision}, batch {best['batch']}, the whole loop")
                engine = "winograd" if place.name == "cpu" else "plain"
                work = Work(
                    network, best["batch"], "train", place.name, engine, plan.threads, precision
                )
                one = loop_speed(work, str(data), plan.loop_steps, warm=plan.warm)
                bare = best["images_per_s"]
                found.append(
                    {
                        "network": network,
                        "precision": precision,
                        **one,
                        "bare_images_per_s": bare,
                        "share": one["images_per_s"] / bare,
                        "hours": IMAGENET_EPOCHS * IMAGENET / one["images_per_s"] / 3600,
                    }
                )
    return found


def fastest(rows: list[dict], network: str, precision: str) -> dict | None:
    """The row of this network and precision with the most images a second, if there is one."""
    some = [
        row
        for row in rows
        if (row["network"], row["precision"]) == (network, precision) and "images_per_s" in row
    ]
    return max(some, key=lambda row: row["images_per_s"], default=None)
