"""minialexnet evaluate: the error rates of a run."""

from pathlib import Path

from minialexnet.commands.common import add_trained, crops, trained
from minialexnet.errors import InputError


def add(commands) -> None:
    one = commands.add_parser(
        "evaluate",
        help="the error rates of a run",
        usage="%(prog)s [options] RUN\n       %(prog)s [options] --pretrained NAME",
    )
    one.set_defaults(command=run)
    one.add_argument(
        "run", nargs="?", type=Path, metavar="RUN", help="folder of a run, or an .npz file"
    )
    one.add_argument("--data", metavar="NAME", help="other data than the run's own")
    add_trained(one)


def run(arguments) -> int:
    from minialexnet import data
    from minialexnet.evaluate import customary_tops, error_rates
    from minialexnet.pretrained import pretrained

    if (arguments.run is None) == (arguments.pretrained is None):
        raise InputError(
            "evaluate needs a run, RUN, or a network that comes along, --pretrained NAME"
        )
    path = arguments.run or pretrained(arguments.pretrained)
    net, see, recipe, saved = trained(arguments, path)
    about = saved.about
    name = arguments.data or about["recipe"]["data"]
    pictures = data.load(name)
    if list(pictures.classes) != about["data"]["classes"]:
        raise InputError(
            f"{name} has {_listed(pictures.classes)}, "
            f"{path} learned {_listed(about['data']['classes'])}"
        )
    if pictures.mean.shape != saved.mean.shape:
        raise InputError(
            f"{name} has pictures of {_size(pictures.mean)} pixels, "
            f"{path} learned from {_size(saved.mean)}"
        )
    tops = customary_tops(pictures.classes)
    looks = crops(arguments, recipe)
    rates = error_rates(net, pictures.test, see, tops, looks)
    for top, rate in zip(tops, rates, strict=True):
        print(f"top-{top} error {rate:.2%} on {len(pictures.test.labels):,} test images")
    return 0


def _listed(classes) -> str:
    more = ", ..." if len(classes) > 5 else ""
    return f"{len(classes)} classes ({', '.join(classes[:5])}{more})"


def _size(picture) -> str:
    height, width, _ = picture.shape
    return f"{height} x {width}"
