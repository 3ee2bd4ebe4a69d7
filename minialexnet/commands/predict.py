"""minialexnet predict: what pictures show."""

import json
from pathlib import Path

from minialexnet.commands.common import add_trained, crops, trained
from minialexnet.errors import InputError


def add(commands) -> None:
    one = commands.add_parser(
        "predict",
        help="what pictures show",
        usage="%(prog)s [options] RUN PICTURE ...\n"
        "       %(prog)s [options] --pretrained NAME PICTURE ...",
    )
    one.set_defaults(command=run)
    one.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="RUN PICTURE",
        help="folder of a run (or an .npz file), and picture files",
    )
    one.add_argument("--json", action="store_true", help="print JSON")
    add_trained(one)


def run(arguments) -> int:
    import numpy as np

    from minialexnet.data import picture
    from minialexnet.evaluate import probabilities

    run, pictures = _run_and_pictures(arguments)
    net, see, recipe, saved = trained(arguments, run)
    looks = crops(arguments, recipe)
    classes = saved.about["data"]["classes"]
    formats, size = picture.every_format(), len(saved.mean)
    images = np.stack([picture.square(picture.pixels(path, formats), size) for path in pictures])
    answers = []
    for path, row in zip(pictures, probabilities(net, images, see, looks), strict=True):
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


def _run_and_pictures(arguments):
    """Where the network is, and the paths of the pictures."""
    from minialexnet.pretrained import pretrained

    if arguments.pretrained is not None:
        return pretrained(arguments.pretrained), arguments.paths
    run, *pictures = arguments.paths
    if not pictures:
        raise InputError(
            f"predict needs a run and pictures, got {run} alone; without a run of your own: "
            "minialexnet predict --pretrained cifar10 PICTURE"
        )
    return run, pictures
