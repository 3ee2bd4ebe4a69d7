"""minialexnet info: what there is to calculate with."""

import json

GB = 1e9


def add(commands) -> None:
    one = commands.add_parser("info", help="versions, processors, memory, GPUs: what can be used")
    one.set_defaults(command=run)
    one.add_argument("--json", action="store_true", help="print JSON")


def run(arguments) -> int:
    from minialexnet.machine import facts

    found = facts()
    print(json.dumps(found, indent=2) if arguments.json else "\n".join(lines(found)))
    return 0


def lines(found: dict) -> list[str]:
    """What `machine.facts` found, to read."""
    processor, memory, cuda = found["processor"], found["memory"], found["cuda"]
    rows = [(name, number or "not installed") for name, number in found["versions"].items()]
    rows += [
        ("system", found["system"]),
        ("processor", f"{processor['name']}, {_usable(processor)}"),
        ("memory", f"{memory / GB:.1f} GB" if memory else "unknown"),
    ]
    rows += [
        ("BLAS", f"{blas['name']} {blas['version'] or ''}, {blas['threads']} threads")
        for blas in found["blas"]
    ] or [("BLAS", "none that threadpoolctl knows")]
    if found["driver"] or cuda["driver"]:
        newest = f", up to CUDA {cuda['driver']}" if cuda["driver"] else ""
        rows.append(("driver", f"{found['driver'] or 'unknown'}{newest}"))
    if cuda["runtime"]:
        rows.append(("CUDA", f"{cuda['runtime']}, of CuPy"))
    rows += [
        (
            gpu["device"],
            f"{gpu['name']}, {gpu['memory'] / GB:.1f} GB ({gpu['free'] / GB:.1f} free), compute "
            f"capability {gpu['capability']}",
        )
        for gpu in found["gpus"]
    ]
    rows += [
        ("--device", refusal or f"{name} can be used") for name, refusal in found["devices"].items()
    ]
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {text}" for name, text in rows]


def _usable(processor: dict) -> str:
    count, usable = processor["count"], processor["usable"]
    return f"{count} processors" + (f", {usable} of them usable" if usable < count else "")
