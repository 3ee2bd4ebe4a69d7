"""minialexnet prepare: turn pictures into a data set."""

from pathlib import Path

from minialexnet.commands.common import Parser


def add(commands) -> None:
    one = commands.add_parser("prepare", help="turn pictures into a data set")
    sources = one.add_subparsers(required=True, metavar="SOURCE", parser_class=Parser)
    one = sources.add_parser("folder", help="class folders of JPEG or PNG files")
    one.set_defaults(command=prepare_folder)
    one.add_argument("src", type=Path, help="has train/CLASS/ and test/CLASS/ (or val/CLASS/)")
    one.add_argument("out", type=Path, help="the folder to make")
    one.add_argument("--size", type=int, default=32, help="rows and columns, pixels (32)")
    one.add_argument("--processes", type=int, help="how many decode (all processors)")
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


def prepare_folder(arguments) -> int:
    from minialexnet.data.folder import prepare_folder

    prepare_folder(arguments.src, arguments.out, arguments.size, arguments.processes)
    return _prepared(arguments.out)


def prepare_cifar10(arguments) -> int:
    from minialexnet.data import cifar10

    out = arguments.out or cifar10.cifar10_folder()
    cifar10.prepare_cifar10(out, arguments.source, arguments.url or cifar10.URL)
    return _prepared(out)


def _prepared(folder: Path) -> int:
    from minialexnet.data import prepared

    made = prepared(folder)
    print(
        f"{folder}: {len(made.train.labels):,} + {len(made.test.labels):,} images "
        f"of {len(made.classes)} classes; train on it with: minialexnet train --data {folder}"
    )
    return 0
