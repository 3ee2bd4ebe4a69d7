"""minialexnet train: train a network."""

import dataclasses
import os
import sys
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from time import perf_counter

from minialexnet.commands.common import absolute, add_device, device_and_threads
from minialexnet.commands.recipe_options import add_options, options
from minialexnet.errors import InputError


def add(commands) -> None:
    from minialexnet.recipe import OPEN_ENDED
    from minialexnet.recipes import RECIPES

    one = commands.add_parser("train", help="train a network")
    one.set_defaults(command=run, many=True)
    one.add_argument("--recipe", metavar="NAME", help=f"one of {', '.join(RECIPES)} (mini)")
    one.add_argument("--out", type=Path, metavar="RUN", help="folder of the run (runs/RECIPE)")
    one.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in RUN, under its own recipe (another --workspace is "
        "allowed, and more --epochs where the schedule does not depend on them: "
        f"{', '.join(OPEN_ENDED)})",
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
        "--towers",
        action="store_true",
        help="under mpiexec: split the network over two ranks, as over the two GPUs of 2012",
    )
    one.add_argument(
        "--limit",
        type=float,
        metavar="SECONDS",
        help="under mpiexec: how long ranks wait for each other; then the job ends, within 10 more "
        "(300)",
    )
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
    from minialexnet.ranks import LIMIT, over_ranks

    given = arguments.limit
    # What is wrong with it is said below, by one rank for all.
    limit = given if given is not None and given > 0 else LIMIT
    return over_ranks(lambda ranks: _on_one(arguments, ranks), limit)


def _on_one(arguments, ranks) -> int:
    """All that one rank does; the first one speaks for all."""
    from threadpoolctl import threadpool_limits

    with ExitStack() as stack:
        if not ranks.first:
            stack.enter_context(redirect_stdout(stack.enter_context(open(os.devnull, "w"))))
        if ranks.size > 1:
            each = ranks.threads()
            arguments.threads = each if arguments.threads is None else arguments.threads
            # Otherwise every rank would have big products on all processors.
            stack.enter_context(threadpool_limits(max(1, arguments.threads), user_api="blas"))
        return _train(arguments, ranks)


def _train(arguments, ranks) -> int:
    from minialexnet import run as runs
    from minialexnet.board import Board
    from minialexnet.ranks import Differing

    # The folder may be on the first rank's machine alone.
    saved = ranks.together(lambda: _saved_recipe(arguments) if ranks.first else None)
    own = ranks.given(saved)
    device, threads, recipe = ranks.together(lambda: _asked(arguments, own, ranks))
    ranks = ranks.on(device)
    folder = arguments.out or Path(ranks.given(str(runs.vacant(arguments.recipe or "mini"))))

    run = runs.Run(
        recipe,
        folder,
        device,
        threads,
        arguments.resume,
        arguments.layers,
        ranks,
        arguments.towers,
    )
    print(
        f"{recipe.network}, {run.parameters:,} parameters, on {run.data.source} "
        f"({len(run.data.train.labels):,} + {len(run.data.test.labels):,} images), "
        f"{device.name}, {threads} threads; run folder {folder}",
        flush=True,
    )
    if ranks.size > 1:
        print(_sharing(recipe, ranks, run), flush=True)
    if run.kinds:
        print(f"with {', '.join(sorted(run.kinds))} of {arguments.layers}", flush=True)
    written = arguments.tensorboard and ranks.first
    board = Board(folder, run.progress.epoch) if written else None
    started = perf_counter()
    try:
        finished = run.go(arguments.save_minutes, board)
    except (runs.Diverged, Differing) as error:
        if ranks.first:
            print(f"minialexnet: {error}", file=sys.stderr)
        return 1
    finally:
        if board is not None:
            board.close()
    if ranks.size > 1:
        share = run.talking / (perf_counter() - started)
        print(f"{share:.1%} of the time went into messages, waiting for other ranks included")
    if not finished:
        print(f"stopped and saved; go on with: minialexnet train --resume --out {folder}")
        return 130
    print(f"done; look at {', '.join(str(path) for path in sorted(folder.glob('*.png')))}")
    return 0


def _saved_recipe(arguments):
    """The recipe of the run to go on with; None for a new one."""
    from minialexnet import run as runs

    if not arguments.resume:
        return None
    if arguments.out is None:
        raise InputError("--resume needs --out RUN, the folder of the run to go on with")
    if arguments.recipe is not None:
        raise InputError("--resume keeps the recipe of the run: leave --recipe out")
    return runs.run_recipe(arguments.out)


def _asked(arguments, saved, ranks):
    """Device, threads and recipe as they were asked for; `saved` is the recipe to go on with."""
    from minialexnet.board import demand_installed
    from minialexnet.recipe import OPEN_ENDED
    from minialexnet.recipes import published

    if not arguments.save_minutes >= 0:
        raise InputError(f"--save-minutes should be 0 or more, got {arguments.save_minutes}")
    if arguments.limit is not None and not arguments.limit > 0:
        raise InputError(f"--limit should be above 0, got {arguments.limit}")
    if arguments.towers and ranks.size == 1:
        raise InputError("--towers needs two ranks for each network: start it with mpiexec -n 2")
    if arguments.tensorboard and ranks.first:
        demand_installed()
    given = options(arguments)
    if "data" in given:
        given["data"] = absolute(given["data"])
    device, threads = device_and_threads(arguments, ranks)
    if saved is None:
        name = arguments.recipe or "mini"
        return device, threads, dataclasses.replace(published(name).recipe, **given)
    # How much is unrolled at a time is no part of what is learnt, and may not fit any more.
    recipe = dataclasses.replace(saved, workspace=given.get("workspace", saved.workspace))
    if given.get("epochs", 0) > recipe.epochs and recipe.schedule in OPEN_ENDED:
        recipe = dataclasses.replace(recipe, epochs=given["epochs"])
    for name, value in given.items():
        if value != getattr(recipe, name):
            raise InputError(
                f"{arguments.out} was begun with {name} {getattr(recipe, name)}, not {value}: a "
                f"run that is resumed keeps its recipe (schedule {recipe.schedule})"
            )
    return device, threads, recipe


def _sharing(recipe, ranks, run) -> str:
    """What the ranks do, and which rule the learning rate follows."""
    images = run.replicas.share(recipe.batch).images
    kind = f"{ranks.size // 2} times two towers" if run.tower else "data parallel"
    warm = f", reached over {recipe.warmup:g} epochs" if recipe.warmup else ""
    return (
        f"{ranks.size} ranks, {kind}, {images} of the {recipe.batch} images of a step each; the "
        f"rate {recipe.rate:g}{warm} is that of the whole batch, however many ranks there are"
    )
