"""minialexnet evaluate: the error rates of a run, or of several together."""

from pathlib import Path

from minialexnet.commands.common import add_trained, crops, trained
from minialexnet.errors import InputError


def add(commands) -> None:
    one = commands.add_parser(
        "evaluate",
        help="the error rates of a run, or of several together",
        usage="%(prog)s [options] RUN [RUN ...]\n       %(prog)s [options] --pretrained NAME",
    )
    one.set_defaults(command=run)
    one.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="RUN",
        help="folder of a run, or an .npz file; the probabilities of several are averaged",
    )
    one.add_argument("--data", metavar="NAME", help="other data than the run's own")
    add_trained(one)


def run(arguments) -> int:
    from minialexnet import data
    from minialexnet.evaluate import Member, customary_tops, ensemble_error_rates, error_rates
    from minialexnet.pretrained import pretrained

    if bool(arguments.paths) == bool(arguments.pretrained):
        raise InputError(
            "evaluate needs a run, RUN, or a network that comes along, --pretrained NAME"
        )
    members, pictures, name = [], None, arguments.data
    paths = arguments.paths or [pretrained(arguments.pretrained)]
    for path in paths:
        net, see, recipe, saved = trained(arguments, path)
        if pictures is None:
            name = name or saved.about["recipe"]["data"]
            pictures = data.load(name)
        _demand_same(name, pictures, path, saved)
        members.append(Member(net, see, crops(arguments, recipe)))
    tops = customary_tops(pictures.classes)
    count = len(pictures.test.labels)
    if len(members) == 1:
        (one,) = members
        rates = error_rates(one.net, pictures.test, one.see, tops, one.crops)
        for top, rate in zip(tops, rates, strict=True):
            print(f"top-{top} error {rate:.2%} on {count:,} test images")
        return 0
    alone, together = ensemble_error_rates(members, pictures.test, tops)
    for path, rates in zip(paths, alone, strict=True):
        print(f"{path}: {_rates(tops, rates)}")
    print(f"together: {_rates(tops, together)} on {count:,} test images")
    return 0


def _rates(tops, rates) -> str:
    named = (f"top-{top} error {rate:.2%}" for top, rate in zip(tops, rates, strict=True))
    return ", ".join(named)


def _demand_same(name: str, pictures, path: Path, saved) -> None:
    """Raise InputError unless a run learned from such pictures and to tell such classes apart."""
    learned = saved.about["data"]["classes"]
    if list(pictures.classes) != learned:
        raise InputError(
            f"{name} has {_listed(pictures.classes)}, {path} learned {_listed(learned)}"
        )
    if pictures.mean.shape != saved.mean.shape:
        raise InputError(
            f"{name} has pictures of {_size(pictures.mean)} pixels, "
            f"{path} learned from {_size(saved.mean)}"
        )


def _listed(classes) -> str:
    more = ", ..." if len(classes) > 5 else ""
    return f"{len(classes)} classes ({', '.join(classes[:5])}{more})"


def _size(picture) -> str:
    height, width, _ = picture.shape
    return f"{height} x {width}"
