"""A report as a page to read."""

from minialexnet.bench.card import targets
from minialexnet.bench.card.targets import NOT_MEASURED, section

GIGA, TERA = 1e9, 1e12
MET = {True: "yes", False: "**no**", None: NOT_MEASURED}


def page(report: dict) -> str:
    """The report in Markdown. What it does not have is said to be not measured."""
    parts = [
        _title(report),
        _table(
            ("work", "at least", "measured", "met"),
            ((row.work, row.wanted, row.found, MET[row.met]) for row in targets.rows(report)),
        ),
        *_failures(report),
        *_limits(report),
        *_steps(report),
        *_loops(report),
        *_layers(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _title(report: dict) -> str:
    about = report.get("machine")
    if about is None:
        return (
            "# On a GPU: not measured\n\nNo GPU was at hand. On a machine with one and NVIDIA's "
            "driver, `make gpu` (`make gpu CIFAR10=FOLDER` for the row of CIFAR-10) fills this "
            "table, in a file of its own beside this one."
        )
    facts = [f"{name}: {value}" for name, value in about.items() if name != "name"]
    tests = report.get("tests", {})
    said = tests.get("summary") or tests.get("error") or NOT_MEASURED
    return (
        f"# On {about['name']}\n\n{'; '.join(facts)}.\n\n`{report.get('command', 'make gpu')}`\n\n"
        f"The tests there: {said}."
    )


def _table(head, rows) -> str:
    lines = [head, ["---"] * len(head), *rows]
    cells = ([str(cell).replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join("| " + " | ".join(line) + " |" for line in cells)


def _failures(report: dict) -> list[str]:
    failed = [
        f"* {name}: {found['error']}"
        for name, found in report.items()
        if isinstance(found, dict) and "error" in found
    ]
    return ["## What could not be measured", "\n".join(failed)] if failed else []


def _limits(report: dict) -> list[str]:
    limits = section(report, "limits")
    if not limits:
        return []
    products = [
        (
            f"product of float32 matrices as {name}"
            if name != "float16"
            else "product of float16 matrices",
            f"{value / TERA:,.1f} T multiply-adds/s",
        )
        for name, value in limits.items()
        if name != "copying"
    ]
    copying = [("copying memory", f"{limits['copying'] / GIGA:,.0f} GB/s read and written")]
    return ["## What the device does at most", _table(("work", "measured"), products + copying)]


def _steps(report: dict) -> list[str]:
    rows = section(report, "steps")
    if not rows:
        return []
    head = (
        *("network", "precision", "batch", "images/s", "of the peak", "memory GB"),
        *("PyTorch images/s", "its layout", "its memory GB", "ratio (range)"),
    )
    return [
        "## Training steps",
        "Medians over the rounds, by the GPU's own clock, pictures there already. Ours and both "
        "layouts of PyTorch (eager, cuDNN) take turns; the better layout counts.",
        _table(head, (_step(row) for row in rows)),
    ]


def _step(row: dict) -> tuple:
    what = row["network"], row["precision"], row["batch"]
    if "error" in row:
        return (*what, row["error"], *[""] * 6)
    ours = (
        f"{row['images_per_s']:,.0f}",
        f"{row['share_of_peak']:.0%}",
        f"{row['memory'] / GIGA:.1f}",
    )
    if "ratio" not in row:
        return (*what, *ours, *["not compared", "", "", ""])
    return (
        *what,
        *ours,
        f"{row['torch_images_per_s']:,.0f}",
        row["torch"].removeprefix("PyTorch, "),
        f"{row['torch_memory'] / GIGA:.1f}",
        f"{row['ratio']:.2f} ({row['ratio_lowest']:.2f} to {row['ratio_highest']:.2f})",
    )


def _loops(report: dict) -> list[str]:
    found = section(report, "loops")
    if not found:
        return []
    head = (
        *("network", "precision", "batch", "images/s", "bare step", "share"),
        *("waiting for pictures", "90 epochs of ImageNet"),
    )
    rows = (
        (
            *(one["network"], one["precision"], one["batch"]),
            f"{one['images_per_s']:,.0f}",
            f"{one['bare_images_per_s']:,.0f}",
            f"{one['share']:.0%}",
            f"{one['waited']:.1%}",
            f"{one['hours']:.1f} h",
        )
        for one in found
    )
    return [
        "## The whole loop",
        "What `minialexnet train` runs, by the wall clock, on drawn pictures of 256 x 256 in a "
        "prepared folder: random parts, mirror images, colours, log.",
        _table(head, rows),
    ]


def _layers(report: dict) -> list[str]:
    parts = []
    for table in section(report, "layers") or []:
        parts += [
            f"## Layers of {table['network']}, {table['precision']}, batch {table['batch']}",
            _table(
                ("layer", "forward us an image", "backward", "of the peak", "of copying"),
                (
                    (
                        row["layer"],
                        f"{row['forward']:.2f}",
                        f"{row['backward']:.2f}",
                        f"{row['share_of_peak']:.0%}" if row["multiply_adds"] else "",
                        f"{row['share_of_copy']:.0%}",
                    )
                    for row in table["rows"]
                ),
            ),
        ]
    return parts
