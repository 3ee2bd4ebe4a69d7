"""python -m minialexnet.bench.card: what `make gpu` runs once all is installed."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from minialexnet.backend import device
from minialexnet.bench.card.measure import measure, write
from minialexnet.bench.card.plan import Plan
from minialexnet.bench.card.targets import rows
from minialexnet.errors import InputError


def main(words: list[str] | None = None, plan: Plan | None = None) -> int:
    """Measure and write the report; 2 without a GPU, 1 if something wanted was not met."""
    parser = argparse.ArgumentParser(prog="python -m minialexnet.bench.card", allow_abbrev=False)
    parser.add_argument("--device", default="cuda", metavar="NAME", help="cuda or cuda:N (cuda)")
    parser.add_argument(
        "--cifar10", type=Path, metavar="FOLDER", help="CIFAR-10 as `minialexnet prepare` makes it"
    )
    parser.add_argument("--out", type=Path, default=Path("lessons", "results"), metavar="FOLDER")
    parser.add_argument("--no-tests", action="store_true", help="leave the tests out")
    arguments = parser.parse_args(words)
    plan = plan or Plan()
    try:
        place = device(arguments.device)
        if arguments.cifar10 is not None and not (arguments.cifar10 / "meta.json").is_file():
            raise InputError(f"--cifar10 {arguments.cifar10}: no prepared folder")
    except InputError as error:
        print(f"make gpu: {error}", file=sys.stderr)
        return 2
    plan = replace(plan, cifar10=arguments.cifar10, tests=plan.tests and not arguments.no_tests)
    report = measure(place, plan, arguments.out, lambda what: print(what, flush=True))
    print(write(report, arguments.out))
    found = rows(report)
    for row in found:
        met = {True: "met", False: "NOT MET", None: "not measured"}[row.met]
        print(f"{met:12} {row.work}: {row.found}")
    passed = report.get("tests", {}).get("passed", True)
    return 0 if passed and all(row.met is not False for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
