"""minialexnet train: train a network."""

import dataclasses
import sys
from pathlib import Path

from minialexnet.commands.common import absolute, add_device, device_and_threads
from minialexnet.commands.recipe_options import add_options, options
from minialexnet.errors import InputError


def add(commands) -> None:
    from minialexnet.recipe import OPEN_ENDED
    from minialexnet.recipes import RECIPES

    one = commands.add_parser("train", help="train a network")
    one.set_defaults(command=run)
    one.add_argument("--recipe", metavar="NAME", help=f"one of {', '.join(RECIPES)} (mini)")
    one.add_argument("--out", type=Path, metavar="RUN", help="folder of the run (runs/RECIPE)")
    one.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in RUN, under its own recipe (more --epochs are allowed where "
        f"the schedule does not depend on them: {', '.join(OPEN_ENDED)})",
    )
    one.add_argument(
        "--layers",
        type=Path,
        metavar="FILE",
        help="a Python file with layers of your own: its classes take the place of the library's "
        "layers of the same names",
    )
    add_device(one)
    one.add_argument(
        "--save-minutes",
        type=float,
        default=10,
        metavar="NUMBER",
        help="save this often within an epoch (10)",
    )
    one.add_argument(
        "--tensorboard",
        action="store_true",
        help="write the curves for TensorBoard too: tensorboard --logdir RUN",
    )
    add_options(
        one.add_argument_group("what the recipe says, unless given here (in brackets: mini's)")
    )


def run(arguments) -> int:
    from minialexnet import run as runs
    from minialexnet.board import Board, demand_installed
    from minialexnet.recipe import OPEN_ENDED
    from minialexnet.recipes import published

    given = options(arguments)
    if "data" in given:
        given["data"] = absolute(given["data"])
    device, threads = device_and_threads(arguments)
    folder = arguments.out
    if not arguments.save_minutes >= 0:
        raise InputError(f"--save-minutes should be 0 or more, got {arguments.save_minutes}")
    if arguments.tensorboard:
        demand_installed()
    if arguments.resume:
        if folder is None:
            raise InputError("--resume needs --out RUN, the folder of the run to go on with")
        if arguments.recipe is not None:
            raise InputError("--resume keeps the recipe of the run: leave --recipe out")
        recipe = runs.run_recipe(folder)
        if given.get("epochs", 0) > recipe.epochs and recipe.schedule in OPEN_ENDED:
            recipe = dataclasses.replace(recipe, epochs=given["epochs"])
        for name, value in given.items():
            if value != getattr(recipe, name):
                raise InputError(
                    f"{folder} was begun with {name} {getattr(recipe, name)}, not {value}: a run "
                    f"that is resumed keeps its recipe (schedule {recipe.schedule})"
                )
    else:
        name = arguments.recipe or "mini"
        recipe = dataclasses.replace(published(name).recipe, **given)
        folder = folder or runs.vacant(name)

    run = runs.Run(recipe, folder, device, threads, arguments.resume, arguments.layers)
    count = sum(weight.size for weight in run.net.params.values())
    print(
        f"{recipe.network}, {count:,} parameters, on {run.data.source} "
        f"({len(run.data.train.labels):,} + {len(run.data.test.labels):,} images), "
        f"{device.name}, {threads} threads; run folder {folder}",
        flush=True,
    )
    if run.kinds:
        print(f"with {', '.join(sorted(run.kinds))} of {arguments.layers}", flush=True)
    board = Board(folder, run.progress.epoch) if arguments.tensorboard else None
    try:
        finished = run.go(arguments.save_minutes, board)
    except runs.Diverged as error:
        print(f"minialexnet: {error}", file=sys.stderr)
        return 1
    finally:
        if board is not None:
            board.close()
    if not finished:
        print(f"stopped and saved; go on with: minialexnet train --resume --out {folder}")
        return 130
    print(f"done; look at {', '.join(str(path) for path in sorted(folder.glob('*.png')))}")
    return 0
