"""minialexnet experiment: a question that takes many trainings to answer."""

from datetime import timedelta
from pathlib import Path

from minialexnet.commands.common import device_and_threads
from minialexnet.errors import InputError

RESULTS = Path("lessons", "results")


def add(commands) -> None:
    one = commands.add_parser(
        "experiment",
        help="train each setting of an experiment from several seeds, for a table of results",
        description="Every finished training becomes a row of a CSV file. What is there already is "
        "not trained again: stop it when you like, the same words go on.",
    )
    one.set_defaults(command=run, device="cpu")
    one.add_argument(
        "name", metavar="NAME", help="relu, overlap, dropout, lrn, augment, width or data"
    )
    one.add_argument("--data", default="cifar10", metavar="NAME", help="as for train (cifar10)")
    one.add_argument(
        "--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="NUMBER", help="(0 1 2)"
    )
    one.add_argument(
        "--out", type=Path, metavar="FILE", help=f"the table ({RESULTS}/experiment-NAME.csv)"
    )
    one.add_argument(
        "--dry-run", action="store_true", help="what is left to train, and how long that takes"
    )
    one.add_argument("--threads", type=int, metavar="NUMBER", help="(all processors)")


def run(arguments) -> int:
    from minialexnet import data
    from minialexnet.experiments import experiment, results
    from minialexnet.experiments.training import fingerprint, row_of, seconds_at_most

    name, seeds = arguments.name, arguments.seeds
    wanted = experiment(name)
    if min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise InputError(
            "--seeds should be different numbers of 0 or more, got " + " ".join(map(str, seeds))
        )
    path = arguments.out or RESULTS / f"experiment-{name}.csv"
    if not path.parent.is_dir():
        raise InputError(f"--out {path}: there is no folder {path.parent}")
    device, threads = device_and_threads(arguments)
    done = results.rows(path)
    pictures = data.load(arguments.data)
    for row in done:
        if row["data"] != fingerprint(pictures):
            raise InputError(
                f"{path} is about other pictures ({row['data']}) than {arguments.data} "
                f"({fingerprint(pictures)}): choose another --out"
            )

    def left() -> list:
        known = {(row["setting"], row["rate"], row["seed"]) for row in done}
        return [one for one in wanted.plan(done, seeds) if one.key not in known]

    print(f"{name}: {wanted.question}; {len(done)} rows in {path}", flush=True)
    if arguments.dry_run:
        total, took = 0.0, {}
        for one in left():
            alike = one.setting, one.recipe.rate
            if alike not in took:
                took[alike] = seconds_at_most(one, pictures, device, threads)
            total += took[alike]
            print(f"  {_called(one)}: at most {_time(took[alike])}", flush=True)
        print(f"{len(left())} trainings known to be left, at most {_time(total)} and their tests")
        return 0
    # A table that cannot be written is found out before the first training, not after it.
    results.write(path, done)
    while waiting := left():
        row = row_of(waiting[0], pictures, device, threads)
        results.add(path, row)
        done = results.rows(path)
        print(
            f"  {_called(waiting[0])}: {row['ended']} after {row['steps']:,} steps, training error "
            f"{row['train_error']:.2%}, test error {row['test_error']:.2%}, "
            f"{_time(row['cpu_seconds'])} of processor time; {len(left())} left",
            flush=True,
        )
    print(f"done; {path}")
    return 0


def _called(training) -> str:
    return f"{training.setting}, rate {training.recipe.rate:g}, seed {training.recipe.seed}"


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
