"""minialexnet prepare: turn pictures into a data set."""

from datetime import timedelta
from pathlib import Path

from minialexnet.commands.common import Parser
from minialexnet.commands.progress import Progress
from minialexnet.errors import InputError


def add(commands) -> None:
    one = commands.add_parser("prepare", help="turn pictures into a data set")
    sources = one.add_subparsers(required=True, metavar="SOURCE", parser_class=Parser)

    one = sources.add_parser("folder", help="class folders of JPEG or PNG files")
    one.set_defaults(command=prepare_folder)
    one.add_argument("src", type=Path, help="has train/CLASS/ and test/CLASS/ (or val/CLASS/)")
    _add_preparation(one, 32)

    one = sources.add_parser("imagenet", help="ImageNet, in whatever form you have it")
    one.set_defaults(command=prepare_imagenet)
    one.add_argument(
        "src", type=Path, help="folder with the official archives, folders, or parquet files"
    )
    _add_preparation(one, 256)

    one = sources.add_parser("cifar10", help="CIFAR-10")
    one.set_defaults(command=prepare_cifar10)
    one.add_argument(
        "source",
        nargs="?",
        type=Path,
        help="cifar-10-binary.tar.gz or the folder in it; downloaded if not given",
    )
    one.add_argument("--out", type=Path, help="the folder to make (where --data cifar10 looks)")
    one.add_argument("--url", help="download from here instead of the official site")

    one = sources.add_parser("check", help="compare every picture of a data set with its checksum")
    one.set_defaults(command=check)
    one.add_argument("folder", type=Path, help="a folder that prepare made")


def _add_preparation(one, size: int) -> None:
    one.add_argument("out", type=Path, help="the folder to make; goes on if it was begun")
    one.add_argument("--size", type=int, default=size, help=f"rows and columns, pixels ({size})")
    one.add_argument("--processes", type=int, help="how many decode (all processors)")
    one.add_argument(
        "--skip-broken",
        action="store_true",
        help="leave broken pictures out, and name them in report.json, instead of stopping",
    )
    one.add_argument(
        "--dry-run", action="store_true", help="say what was found and what it takes, no more"
    )


def prepare_folder(arguments) -> int:
    from minialexnet.data.folder import folder_source

    return _prepare(arguments, folder_source)


def prepare_imagenet(arguments) -> int:
    from minialexnet.data.imagenet import imagenet_source

    return _prepare(arguments, imagenet_source)


def _prepare(arguments, read_source) -> int:
    from minialexnet.data import preparation
    from minialexnet.data.draft import REPORT
    from minialexnet.data.writing import vacant

    size, out = arguments.size, arguments.out
    processes = preparation.demand_numbers(size, arguments.processes)
    if not (out / REPORT).is_file():
        vacant(out)
    source = read_source(arguments.src)
    for line in source.found:
        print(line)
    if preparation.is_done(source, out, size):
        print(f"{out} holds just these pictures already")
        if not arguments.dry_run:
            preparation.prepare(source, out, size, processes)
        return _said(out)
    vacant(out)
    takes = preparation.estimate(source, out, size, processes)
    count = len(source.train.labels) + len(source.test.labels)
    print(
        f"{out}: {count:,} pictures of {size} x {size} pixels, shorter side scaled, centre cut "
        f"out; {_room(takes.needed)}, of {_room(takes.free)} free; about "
        f"{timedelta(seconds=round(takes.seconds))}, processes: {processes}",
        flush=True,
    )
    if takes.needed > takes.free:
        raise InputError(f"{out} needs {_room(takes.needed)}, there are {_room(takes.free)} free")
    if arguments.dry_run:
        print("nothing was written (--dry-run)")
        return 0
    with Progress(count) as progress:
        preparation.prepare(source, out, size, processes, arguments.skip_broken, progress)
    return _said(out)


def prepare_cifar10(arguments) -> int:
    from minialexnet.data import cifar10

    out = arguments.out or cifar10.cifar10_folder()
    cifar10.prepare_cifar10(out, arguments.source, arguments.url or cifar10.URL)
    return _said(out)


def check(arguments) -> int:
    from minialexnet.data.prepared import demand_intact, prepared

    made = prepared(arguments.folder)
    with Progress(len(made.train.labels) + len(made.test.labels)) as progress:
        count = demand_intact(arguments.folder, progress)
    print(f"{arguments.folder}: {count:,} pictures, all intact")
    return 0


def _said(folder: Path) -> int:
    from minialexnet.data import prepared
    from minialexnet.data.draft import REPORT, read_report

    made = prepared(folder)
    broken = read_report(folder).get("broken", []) if (folder / REPORT).is_file() else []
    left_out = f" ({len(broken):,} broken ones left out, see {REPORT})" if broken else ""
    print(
        f"{folder}: {len(made.train.labels):,} + {len(made.test.labels):,} images "
        f"of {len(made.classes)} classes{left_out}; train on it with: "
        f"minialexnet train --data {folder}"
    )
    return 0


def _room(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
