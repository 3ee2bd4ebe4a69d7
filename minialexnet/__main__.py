"""The command line: ``minialexnet`` or ``python -m minialexnet``."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from minialexnet import __version__, processor
from minialexnet.errors import InputError
from minialexnet.files import whole


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def parser() -> Parser:
    """The whole command line."""
    from minialexnet import recipe

    top = Parser(prog="minialexnet", description="AlexNet by hand.", allow_abbrev=False)
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    one = commands.add_parser("train", help="train a network", allow_abbrev=False)
    one.set_defaults(command=train)
    one.add_argument(
        "--recipe",
        metavar="NAME",
        help=f"one of {', '.join(recipe.RECIPES)} (mini)",
    )
    one.add_argument("--out", type=Path, metavar="RUN", help="folder of the run (runs/RECIPE)")
    one.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in RUN, under its own recipe (more --epochs are allowed where "
        f"the schedule does not depend on them: {', '.join(recipe.OPEN_ENDED)})",
    )
    _add_device(one)
    one.add_argument(
        "--save-minutes",
        type=float,
        default=10,
        metavar="NUMBER",
        help="save this often within an epoch (10)",
    )
    recipe.add_options(
        one.add_argument_group("what the recipe says, unless given here (in brackets: mini's)")
    )

    one = commands.add_parser("evaluate", help="the error rates of a run", allow_abbrev=False)
    one.set_defaults(command=evaluate)
    _add_run(one)
    one.add_argument("--data", metavar="NAME", help="other data than the run's own")
    _add_device(one)

    one = commands.add_parser("predict", help="what pictures show", allow_abbrev=False)
    one.set_defaults(command=predict)
    _add_run(one)
    one.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    one.add_argument("--json", action="store_true", help="print JSON")
    _add_device(one)

    one = commands.add_parser("prepare", help="turn pictures into a data set", allow_abbrev=False)
    sources = one.add_subparsers(required=True, metavar="SOURCE", parser_class=Parser)
    one = sources.add_parser(
        "folder", help="class folders of JPEG or PNG files", allow_abbrev=False
    )
    one.set_defaults(command=prepare_folder)
    one.add_argument("src", type=Path, help="has train/CLASS/ and test/CLASS/ (or val/CLASS/)")
    one.add_argument("out", type=Path, help="the folder to make")
    one.add_argument("--size", type=int, default=32, help="rows and columns, pixels (32)")
    one.add_argument("--processes", type=int, help="how many decode (all processors)")
    one = sources.add_parser("cifar10", help="CIFAR-10", allow_abbrev=False)
    one.set_defaults(command=prepare_cifar10)
    one.add_argument(
        "source",
        nargs="?",
        type=Path,
        help="cifar-10-binary.tar.gz or the folder in it; downloaded if not given",
    )
    one.add_argument("--out", type=Path, help="the folder to make (where --data cifar10 looks)")
    one.add_argument("--url", help="download from here instead of the official site")
    one = commands.add_parser(
        "bench", help="how fast a network is, and against PyTorch", allow_abbrev=False
    )
    one.set_defaults(command=bench)
    one.add_argument("--network", default="alexnet", metavar="NAME", help="(alexnet)")
    one.add_argument("--batch", type=int, default=128, metavar="NUMBER", help="images (128)")
    one.add_argument("--task", default="train", metavar="NAME", help="train or predict (train)")
    one.add_argument("--engine", default="winograd", metavar="NAME", help="as for train (winograd)")
    one.add_argument("--against", metavar="NAME", help="torch: PyTorch in turn with ours")
    one.add_argument("--rounds", type=int, default=5, metavar="NUMBER", help="turns of each (5)")
    one.add_argument(
        "--steps", type=int, metavar="NUMBER", help="steps in a turn (about a second's worth)"
    )
    one.add_argument("--layers", action="store_true", help="the time of each layer instead")
    one.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a new file")
    _add_device(one)
    return top


def _add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--device", default="cpu", metavar="NAME", help="cpu, cuda or cuda:N (cpu)"
    )
    command.add_argument("--threads", type=int, metavar="NUMBER", help="on a CPU (all processors)")


def _add_run(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", type=Path, metavar="RUN", help="folder of a run, or an .npz file")
    command.add_argument("--best", action="store_true", help="its best state instead of its last")


def train(arguments) -> int:
    from minialexnet import recipe as recipes
    from minialexnet import run as runs

    given = _absolute(recipes.options(arguments))
    device, threads = _device(arguments)
    folder = arguments.out
    if not arguments.save_minutes >= 0:
        raise InputError(f"--save-minutes should be 0 or more, got {arguments.save_minutes}")
    if arguments.resume:
        if folder is None:
            raise InputError("--resume needs --out RUN, the folder of the run to go on with")
        if arguments.recipe is not None:
            raise InputError("--resume keeps the recipe of the run: leave --recipe out")
        recipe = runs.run_recipe(folder)
        if given.get("epochs", 0) > recipe.epochs and recipe.schedule in recipes.OPEN_ENDED:
            recipe = dataclasses.replace(recipe, epochs=given["epochs"])
        for name, value in given.items():
            if value != getattr(recipe, name):
                raise InputError(
                    f"{folder} was begun with {name} {getattr(recipe, name)}, not {value}: a run "
                    f"that is resumed keeps its recipe (schedule {recipe.schedule})"
                )
    else:
        name = arguments.recipe or "mini"
        recipe = dataclasses.replace(recipes.recipe(name), **given)
        folder = folder or runs.vacant(name)

    run = runs.Run(recipe, folder, device, threads, arguments.resume)
    count = sum(weight.size for weight in run.net.params.values())
    print(
        f"{recipe.network}, {count:,} parameters, on {run.data.source} "
        f"({len(run.data.train.labels):,} + {len(run.data.test.labels):,} images), "
        f"{device.name}, {threads} threads; run folder {folder}",
        flush=True,
    )
    try:
        finished = run.go(arguments.save_minutes)
    except runs.Diverged as error:
        print(f"minialexnet: {error}", file=sys.stderr)
        return 1
    if not finished:
        print(f"stopped and saved; go on with: minialexnet train --resume --out {folder}")
        return 130
    print(f"done; look at {', '.join(str(path) for path in sorted(folder.glob('*.png')))}")
    return 0


def evaluate(arguments) -> int:
    from minialexnet import data
    from minialexnet.evaluate import customary_tops, error_rates

    net, see, saved = _trained(arguments)
    about = saved.about
    name = arguments.data or about["recipe"]["data"]
    pictures = data.load(name)
    if list(pictures.classes) != about["data"]["classes"]:
        raise InputError(
            f"{name} has {_listed(pictures.classes)}, "
            f"{arguments.run} learned {_listed(about['data']['classes'])}"
        )
    if pictures.mean.shape != saved.mean.shape:
        raise InputError(
            f"{name} has pictures of {_size(pictures.mean)} pixels, "
            f"{arguments.run} learned from {_size(saved.mean)}"
        )
    tops = customary_tops(pictures.classes)
    rates = error_rates(net, pictures.test, see, tops)
    for top, rate in zip(tops, rates, strict=True):
        print(f"top-{top} error {rate:.2%} on {len(pictures.test.labels):,} test images")
    return 0


def predict(arguments) -> int:
    import numpy as np

    from minialexnet.data import picture
    from minialexnet.evaluate import probabilities

    net, see, saved = _trained(arguments)
    classes = saved.about["data"]["classes"]
    formats, size = picture.every_format(), len(saved.mean)
    images = np.stack(
        [picture.square(picture.pixels(path, formats), size) for path in arguments.pictures]
    )
    answers = []
    for path, row in zip(
        arguments.pictures,
        probabilities(net, images, see),
        strict=True,
    ):
        best = np.argsort(-row, kind="stable")[:5]
        found = [{"class": classes[m], "probability": float(row[m])} for m in best]
        answers.append({"picture": str(path), "predictions": found})
    if arguments.json:
        print(json.dumps(answers, indent=2))
        return 0
    for answer in answers:
        print(answer["picture"])
        for one in answer["predictions"]:
            print(f"  {one['probability']:7.2%}  {one['class']}")
    return 0


def bench(arguments) -> int:
    from minialexnet.bench import Work, layer_times, measured, report

    path = arguments.json
    if path is not None and path.exists():
        raise InputError(f"--json {path}: exists already")
    if path is not None and not path.parent.is_dir():
        raise InputError(f"--json {path}: there is no folder {path.parent}")
    if arguments.against not in (None, "torch"):
        raise InputError(f"--against should be torch, got {arguments.against}")
    for name in ("rounds", "steps"):
        if (value := getattr(arguments, name)) is not None and value < 1:
            raise InputError(f"--{name} should be 1 or more, got {value}")
    device, threads = _device(arguments)
    work = Work(
        arguments.network,
        arguments.batch,
        arguments.task,
        device.name,
        arguments.engine,
        threads,
    )
    if arguments.layers:
        result = layer_times(work)
        print(report.layers(result))
    else:
        result = measured(work, bool(arguments.against), arguments.rounds, arguments.steps or 0)
        print(report.speeds(result))
    if path is not None:
        with whole(path) as file:
            file.write(json.dumps(result, indent=2).encode() + b"\n")
    return 0


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


def _absolute(given: dict) -> dict:
    """A folder of data by its full path, so that the run can be resumed from anywhere."""
    from minialexnet.data import NAMES

    if given.get("data", NAMES[0]) not in NAMES and Path(given["data"]).is_dir():
        return given | {"data": str(Path(given["data"]).resolve())}
    return given


def _listed(classes) -> str:
    more = ", ..." if len(classes) > 5 else ""
    return f"{len(classes)} classes ({', '.join(classes[:5])}{more})"


def _size(picture) -> str:
    height, width, _ = picture.shape
    return f"{height} x {width}"


def _device(arguments):
    from minialexnet.backend import device

    if arguments.threads is not None and arguments.threads < 1:
        raise InputError(f"--threads should be 1 or more, got {arguments.threads}")
    return device(arguments.device), arguments.threads or processor.threads()


def _trained(arguments):
    """The network of a run, how pictures enter it, and its checkpoint."""
    from minialexnet import checkpoint
    from minialexnet import run as runs
    from minialexnet.data import Input
    from minialexnet.recipe import from_dict

    device, threads = _device(arguments)
    path = arguments.run
    if not path.exists():
        raise InputError(f"{path}: no such run; minialexnet train makes one")
    if path.is_dir():
        path = path / ("best.npz" if arguments.best else "checkpoint.npz")
    saved = checkpoint.load(path)
    recipe = from_dict(saved.about["recipe"], path)
    net = runs.network(recipe.network, len(saved.about["data"]["classes"]), recipe.seed)
    checkpoint.give(net, saved, device, path)
    see = Input(device.put(saved.mean), recipe.scale, device)
    return runs.for_device(net, device, recipe.engine, saved.mean.shape, threads), see, saved


def main(argv=None) -> int:
    """Run a command; the exit code is 2 where the input was at fault."""
    processor.settle()
    arguments = parser().parse_args(argv)
    try:
        return arguments.command(arguments)
    except InputError as error:
        return _refused(error)
    except OSError as error:
        named = error.filename and error.strerror
        return _refused(f"{error.filename}: {error.strerror}" if named else error)
    except KeyboardInterrupt:
        print("minialexnet: interrupted", file=sys.stderr)
        return 130


def _refused(reason) -> int:
    print(f"minialexnet: error: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
