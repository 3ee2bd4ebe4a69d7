"""What several commands share: options, and opening what they name."""

import argparse
import dataclasses
import sys
from pathlib import Path

from minialexnet import processor
from minialexnet.errors import InputError


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, and takes no shortened options."""

    def __init__(self, **settings):
        super().__init__(allow_abbrev=False, **settings)

    def parse_known_args(self, args=None, namespace=None):
        # Alone, argparse takes several paths in one piece only: RUN --json PICTURE would be wrong.
        namespace, rest = super().parse_known_args(args, namespace)
        if hasattr(namespace, "paths") and not any(word.startswith("-") for word in rest):
            namespace.paths += map(Path, rest)
            rest = []
        return namespace, rest

    def error(self, message):
        # Of several processes that were started together one says it.
        first = processor.launched()[0] == 0
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n" if first else None)


def add_device(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--device", default="cpu", metavar="NAME", help="cpu, cuda or cuda:N (cpu)"
    )
    command.add_argument("--threads", type=int, metavar="NUMBER", help="on a CPU (all processors)")


def add_best(command: argparse.ArgumentParser) -> None:
    command.add_argument("--best", action="store_true", help="its best state instead of its last")


def add_trained(command: argparse.ArgumentParser) -> None:
    """The options of what looks at pictures with a network that has been trained."""
    from minialexnet.pretrained import PRETRAINED

    command.add_argument(
        "--pretrained",
        metavar="NAME",
        help=f"instead of a run: a network that comes along ({', '.join(PRETRAINED)})",
    )
    add_best(command)
    command.add_argument(
        "--precision",
        metavar="NAME",
        help="float32, tf32 or float16 (what the recipe says, where the device can)",
    )
    command.add_argument(
        "--crops",
        metavar="NAME",
        help="center: the middle of a picture; ten: the mean over the corners, the middle and "
        "their mirror images (what the recipe says)",
    )
    add_device(command)


def device_and_threads(arguments, ranks=None):
    """The device that was asked for, and how many threads a CPU may use.

    Parameters
    ----------
    ranks : if there are several, "cuda" is a GPU for each one of a machine
    """
    from minialexnet.backend import device, gpu_of

    if arguments.threads is not None and arguments.threads < 1:
        raise InputError(f"--threads should be 1 or more, got {arguments.threads}")
    name = arguments.device
    if ranks is not None and ranks.size > 1 and name == "cuda":
        name = gpu_of(ranks.local_rank)
    return device(name), arguments.threads or processor.threads()


def saved_run(path: Path, best: bool = False):
    """The network of a run with its weights on the host, its recipe, and its checkpoint."""
    from minialexnet import checkpoint
    from minialexnet import run as runs
    from minialexnet.backend import device
    from minialexnet.recipe import from_dict

    if not path.exists():
        raise InputError(f"{path}: no such run; minialexnet train makes one")
    if path.is_dir() and not best:
        saved, path, wrong = checkpoint.load_last(path)
        if wrong:
            print(f"warning: {wrong}; {path} is used instead", file=sys.stderr)
    else:
        path = path / checkpoint.BEST if path.is_dir() else path
        saved = checkpoint.load(path)
    recipe = from_dict(saved.about["recipe"], path)
    net = runs.network(recipe.network, len(saved.about["data"]["classes"]), recipe.seed)
    if own := saved.about.get("layers"):
        kinds = ", ".join(own["kinds"])
        print(
            f"note: trained with {kinds} of {own['file']}; the library's run here", file=sys.stderr
        )
    checkpoint.give(net, saved, device("cpu"), path)
    return net, recipe, saved


def trained(arguments, path: Path):
    """The network of a run as it runs best, how pictures enter it, its recipe and checkpoint."""
    from minialexnet import run as runs
    from minialexnet.precision import prepare

    device, threads = device_and_threads(arguments)
    net, recipe, saved = saved_run(path, arguments.best)
    net.params = {name: device.put(array) for name, array in net.params.items()}
    see = recipe.seen(saved.mean, device)
    recipe = _with_precision(recipe, arguments.precision, device)
    prepare(recipe.precision, device)
    running = runs.for_device(
        net,
        device,
        recipe.engine,
        see.mean.shape,
        threads,
        recipe.precision,
        workspace=recipe.workspace,
    )
    return running, see, recipe, saved


def _with_precision(recipe, asked: str | None, device):
    """The recipe with the precision that was asked for; else its own, where there is a choice."""
    if asked is None and recipe.precision == "tf32" and device.name == "cpu":
        asked = "float32"
    return dataclasses.replace(recipe, precision=asked or recipe.precision)


def absolute(data_name: str | None) -> str | None:
    """A folder of data by its full path, so that a run finds it again from anywhere."""
    from minialexnet.data import NAMES

    if data_name not in (None, *NAMES) and Path(data_name).is_dir():
        return str(Path(data_name).resolve())
    return data_name


def crops(arguments, recipe) -> str:
    """The parts of a picture to look at: those asked for, or the recipe's."""
    from minialexnet.data import CROPS

    if arguments.crops not in (None, *CROPS):
        raise InputError(f"--crops should be one of {', '.join(CROPS)}, got {arguments.crops}")
    if arguments.crops == "ten" and not recipe.crop:
        raise InputError(
            f'--crops ten: network "{recipe.network}" was trained on whole pictures, there is '
            "nothing to cut them to"
        )
    return arguments.crops or (recipe.crops if recipe.crop else "center")
