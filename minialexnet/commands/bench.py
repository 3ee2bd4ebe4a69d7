"""minialexnet bench: how fast a network is."""

import json
from pathlib import Path

from minialexnet.commands.common import add_device, device_and_threads
from minialexnet.errors import InputError
from minialexnet.files import whole

# Steps of the whole loop that are timed.
LOOP_STEPS = 300


def add(commands) -> None:
    one = commands.add_parser("bench", help="how fast a network is, and against PyTorch")
    one.set_defaults(command=run)
    one.add_argument("--network", default="alexnet", metavar="NAME", help="(alexnet)")
    one.add_argument("--batch", type=int, default=128, metavar="NUMBER", help="images (128)")
    one.add_argument("--task", default="train", metavar="NAME", help="train or predict (train)")
    one.add_argument("--engine", default="winograd", metavar="NAME", help="as for train (winograd)")
    one.add_argument(
        "--precision",
        default="float32",
        metavar="NAME",
        help="float32, tf32 (on a GPU) or float16, PyTorch's too (float32)",
    )
    one.add_argument("--against", metavar="NAME", help="torch: PyTorch in turn with ours")
    one.add_argument("--rounds", type=int, default=5, metavar="NUMBER", help="turns of each (5)")
    one.add_argument(
        "--steps", type=int, metavar="NUMBER", help="steps in a turn (about a second's worth)"
    )
    one.add_argument("--layers", action="store_true", help="the time of each layer instead")
    one.add_argument(
        "--data",
        metavar="NAME",
        help="how fast pictures of this data set reach the network instead; on a GPU: how fast the "
        "whole loop is with them, against the bare step",
    )
    one.add_argument(
        "--ranks",
        type=int,
        metavar="NUMBER",
        help="so many processes under mpiexec against one, with as many threads in all, instead",
    )
    one.add_argument(
        "--scale",
        action="store_true",
        help="how much faster 1 to 1024 processors would be, instead",
    )
    one.add_argument(
        "--images-per-s",
        type=float,
        metavar="NUMBER",
        help="for --scale: the speed of one processor (measured here)",
    )
    one.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a new file")
    add_device(one)


def run(arguments) -> int:
    from minialexnet import networks
    from minialexnet.backend import on_gpu
    from minialexnet.bench import Work, feeding_speeds, layer_times, measured, report

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
    device, threads = device_and_threads(arguments)
    work = Work(
        arguments.network,
        arguments.batch,
        arguments.task,
        device.name,
        arguments.engine,
        threads,
        arguments.precision,
    )
    speed = arguments.images_per_s
    if speed is not None and not (arguments.scale and 0 < speed < float("inf")):
        raise InputError(f"--images-per-s should be above 0 and come with --scale, got {speed}")
    if arguments.ranks is not None and (arguments.ranks < 2 or work.task != "train"):
        raise InputError(f"--ranks should be 2 or more, for training, got {arguments.ranks}")
    if arguments.scale:
        from minialexnet.bench import scale
        from minialexnet.ranks.traffic import gradient_bytes

        if speed is None:
            result = measured(work, False, arguments.rounds, arguments.steps or 0)
            speed = result["contenders"]["minialexnet"]["images_per_s"]
        result = scale.planned(speed, work.batch, gradient_bytes(work.net()))
        print(scale.table(result))
    elif arguments.ranks is not None:
        from minialexnet.bench import ranks

        result = ranks.efficiency(work, arguments.ranks, arguments.rounds, arguments.steps or 1)
        print(ranks.table(result))
    elif arguments.data is not None and on_gpu(device.name):
        from minialexnet.bench.loop import loop_against_step

        steps = arguments.steps or LOOP_STEPS
        result = loop_against_step(work, arguments.data, steps, arguments.rounds)
        print(report.loop(result))
    elif arguments.data is not None:
        crop = networks.SIZES[work.network]
        result = feeding_speeds(arguments.data, crop, work.batch, arguments.rounds)
        print(report.feeding(result))
    elif arguments.layers:
        result = layer_times(work)
        print(report.layers(result))
    else:
        result = measured(work, bool(arguments.against), arguments.rounds, arguments.steps or 0)
        print(report.speeds(result))
    if path is not None:
        with whole(path) as file:
            file.write(json.dumps(result, indent=2).encode() + b"\n")
    return 0
