"""minialexnet look: pictures of what a network has learnt."""

import io
from pathlib import Path

from minialexnet.commands.common import add_best, saved_run
from minialexnet.errors import InputError
from minialexnet.files import whole


def add(commands) -> None:
    from minialexnet.pretrained import PRETRAINED

    one = commands.add_parser(
        "look",
        help="pictures of what a network has learnt",
        description="Writes the filters of the first layer, its feature maps of a picture, the "
        "training pictures nearest in the last hidden layer, saliency and occlusion maps, which "
        "classes it takes for which, and where it errs most surely.",
        usage="%(prog)s [options] RUN\n       %(prog)s [options] --pretrained NAME --out FOLDER",
    )
    one.set_defaults(command=run)
    one.add_argument(
        "run", nargs="?", type=Path, metavar="RUN", help="folder of a run, or an .npz file"
    )
    one.add_argument(
        "--pretrained",
        metavar="NAME",
        help=f"instead of a run: a network that comes along ({', '.join(PRETRAINED)})",
    )
    one.add_argument("--data", metavar="NAME", help="other data than the run's own")
    one.add_argument("--out", type=Path, metavar="FOLDER", help="a new folder (RUN/look)")
    add_best(one)


def run(arguments) -> int:
    from minialexnet import data
    from minialexnet.backend import device
    from minialexnet.look.report import pictures
    from minialexnet.pretrained import pretrained

    if bool(arguments.run) == bool(arguments.pretrained):
        raise InputError("look needs a run, RUN, or a network that comes along, --pretrained NAME")
    folder = arguments.out
    if folder is None:
        if arguments.pretrained or not arguments.run.is_dir():
            raise InputError("look needs --out FOLDER, where the pictures go")
        folder = arguments.run / "look"
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another --out")
    net, recipe, saved = saved_run(
        arguments.run or pretrained(arguments.pretrained), arguments.best
    )
    name = arguments.data or recipe.data
    images, about = data.load(name), saved.about["data"]
    if list(images.classes) != about["classes"]:
        raise InputError(f"{name}: not the classes that the network was trained to tell apart")
    if images.mean.shape != saved.mean.shape:
        raise InputError(
            f"{name}: its pictures are {images.mean.shape[0]} x {images.mean.shape[1]} pixels, the "
            f"network's {saved.mean.shape[0]} x {saved.mean.shape[1]}"
        )
    figures = pictures(net, recipe.seen(saved.mean, device("cpu")), images)
    folder.mkdir(parents=True)
    for name, figure in figures.items():
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=150)
        with whole(folder / f"{name}.png") as file:
            file.write(drawn.getvalue())
        print(folder / f"{name}.png")
    return 0
