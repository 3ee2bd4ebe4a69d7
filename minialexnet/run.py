"""A run and its folder: recipe.json, log.csv, checkpoints and pictures.

==================  =========================================================================
recipe.json         every number of the run
layers.py           the layers of one's own, if there are any
log.csv             a row for each epoch, and one for the epoch under way
checkpoint.npz      the last state: weights, velocity, mean picture, progress, class names
previous.npz        the state before that
best.npz            the state with the lowest test error so far
curves.png          loss and errors over the epochs
filters.png         the filters of the first layer
predictions.png     test pictures with the five classes found most probable
events.*            the same curves for TensorBoard, if it was asked for
==================  =========================================================================
"""

import csv
import dataclasses
import hashlib
import io
import math
import os
import signal
import time
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

import numpy as np
from tqdm import tqdm

from minialexnet import __version__, backend, checkpoint, data, networks
from minialexnet.backend import Device, namespace
from minialexnet.board import Board
from minialexnet.chance import generator
from minialexnet.data import Dataset
from minialexnet.data.mapped import forget
from minialexnet.engine import WORKSPACE, for_cpu, for_gpu
from minialexnet.errors import InputError
from minialexnet.evaluate import probabilities
from minialexnet.files import alone, whole
from minialexnet.guard import activation_scales, report, stuck
from minialexnet.initial import initialised
from minialexnet.layers import Layer, Network
from minialexnet.own import blamed_on, fingerprint, own_layers
from minialexnet.precision import Half, prepare, twin
from minialexnet.ranks import Alone, demand_alike
from minialexnet.ranks.towers import Tower
from minialexnet.recipe import Recipe, as_json, from_dict
from minialexnet.scaling import Scaling, scaling_of
from minialexnet.train import TIMING, Progress, row_so_far, train

RECENT = 100
# Seconds between two drawings of the curves.
DRAW = 10.0
LOG = "log.csv"
LAYERS = "layers.py"
COLUMNS = (
    *("epoch", "rate", "loss", "train_error", "test_error", "test_error_top5"),
    *("skipped", "scale"),
    *TIMING,
)


class Diverged(Exception):
    """The numbers became NaN or infinite; the run cannot go on."""


def network(name: str, classes: int, seed: int, **kinds) -> Network:
    """A network with its initial weights, on the host; `kinds` are layers of one's own."""
    return getattr(networks, name)(generator("weights", seed), classes, **kinds)


def for_device(
    net: Network,
    device: Device,
    engine: str,
    shape,
    threads: int,
    precision: str = "float32",
    scaling: Scaling | None = None,
    workspace: int = WORKSPACE,
) -> Layer:
    """The network as it runs best there: by an engine on a CPU, nearly as it is on a GPU.

    Parameters
    ----------
    engine, shape, threads : as for `engine.for_cpu`
    precision : one of PRECISIONS, for which the device was prepared
    scaling : of the gradients, for training in float16
    workspace : as for `engine.for_gpu`
    """
    if precision == "float16":
        # Winograd's transforms lose more bits than float16 has to spare.
        engine = "sliced" if engine == "winograd" else engine
        worker = for_device(twin(net, device), device, engine, shape, threads, workspace=workspace)
        return Half(net, worker, scaling)
    if device.name == "cpu":
        return for_cpu(net, engine, shape, threads)
    return for_gpu(net, workspace)


def demand_crop(recipe: Recipe, pictures: Dataset) -> None:
    """Raise InputError if the pictures are smaller than the part that training sees."""
    height, width, _ = pictures.mean.shape
    if min(height, width) < recipe.crop:
        raise InputError(
            f"crop should be at most {min(height, width)}, the pictures of {recipe.data} are "
            f"{height} x {width} pixels, got {recipe.crop}"
        )


def demand_fit(net: Network, name: str, height: int, width: int | None = None) -> None:
    """Raise InputError unless the network of that name takes pictures of this size, pixels."""
    width = width or height
    try:
        net.shapes((height, width, 3))
    except ValueError as error:
        size = f"{height} x {width}"
        where = "".join(f" {note}" for note in error.__notes__[:1])
        raise InputError(
            f'network "{name}" does not take pictures of {size} pixels: {error}{where}'
        ) from error


def demand_shared(batch: int, ranks: int, towers: bool) -> None:
    """Raise InputError if so many ranks cannot share batches of so many images."""
    if towers and ranks % 2:
        raise InputError(
            f"--towers needs two ranks for each network, got {ranks}: start it with mpiexec -n 2"
        )
    sharing = ranks // 2 if towers else ranks
    if sharing > batch:
        raise InputError(
            f"{ranks} ranks are more than a batch of {batch} images can be shared out to: start "
            f"{2 * batch if towers else batch} at most, or raise --batch"
        )


def vacant(name: str) -> Path:
    """The first of runs/name, runs/name-2, runs/name-3 ... that does not exist yet."""
    number = 1
    while (folder := Path("runs", name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder


def demand_no_run(folder) -> None:
    """Raise InputError if the folder holds a run."""
    if any(
        (Path(folder) / name).exists()
        for name in (checkpoint.LAST, checkpoint.BEFORE, checkpoint.BEST, "recipe.json")
    ):
        raise InputError(
            f"{folder} holds a run already: go on with it (--resume) or choose another --out"
        )


def run_recipe(folder: Path) -> Recipe:
    """The recipe of the run in a folder."""
    saved, path, _ = checkpoint.load_last(folder)
    return from_dict(saved.about["recipe"], path)


def timeless(progress: Progress) -> dict:
    """A run's progress without what the clock says: equal runs have equal checkpoints."""
    rows = [
        {name: value for name, value in row.items() if name not in TIMING}
        for row in progress.history
    ]
    return dataclasses.asdict(progress) | {"history": rows, "seconds": 0.0, "waited": 0.0}


def logged_times(path: Path) -> dict[int, dict]:
    """What the log of a run says of the time that each epoch took; nothing that cannot be read."""
    times = {}
    try:
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                if row["epoch"].isdecimal():
                    times[int(row["epoch"])] = {name: float(row[name]) for name in TIMING}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error):
        pass
    return times


class Run:
    """A run under way: where it is, what it learns, and the folder that it keeps.

    Parameters
    ----------
    recipe : every number of it
    folder : where it is kept
    device : where it runs
    threads : how many slices are worked on at a time, on a CPU
    resume : False begins; True goes on from the folder's checkpoint as if nothing had happened
    layers : a Python file whose classes take the place of the library's layers of their names
    ranks : the processes that train together; the first one alone reads and writes the folder
    towers : each two ranks share one network, as the two GPUs of 2012 did

    Raises
    ------
    InputError
        If the folder holds a run already (or none, to resume), cannot be written to, or the data
        do not fit the network, or are not those that the run began with.
    """

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        device: Device,
        threads: int,
        resume: bool = False,
        layers: Path | None = None,
        ranks: Alone | None = None,
        towers: bool = False,
    ):
        self.recipe, self.folder, self.device = recipe, folder, device
        self.layers = layers
        self.ranks = ranks or Alone()
        self.replicas, self.tower = self.ranks, None
        self.kinds, self.code = {}, b""
        self.progress = Progress()
        self.recent: deque[float] = deque(maxlen=RECENT)
        # A damaged checkpoint must not take the place of the good one before it.
        self.keep = True
        self.drawn_at = time.monotonic()
        self.ranks.together(lambda: self._prepare(resume, towers))
        self.ranks.demand_same(self._facts() if self.ranks.size > 1 else {})
        if towers:
            # Two neighbours are the towers of one network; those of one kind share the batches.
            self.replicas, pair = (
                self.ranks.part(self.ranks.rank % 2),
                self.ranks.part(self.ranks.rank // 2),
            )
        self.ranks.together(lambda: self._begin_or_take_up(resume))
        self._join()
        self.parameters = sum(weight.size for weight in self.net.params.values())
        if towers:
            self._split(pair)
        shape = self.see.mean.shape
        self.running = for_device(
            self.net,
            device,
            recipe.engine,
            shape,
            threads,
            recipe.precision,
            scaling_of(self.sgd),
            recipe.workspace,
        )

    def _prepare(self, resume: bool, towers: bool) -> None:
        """All that a rank can do by itself, and that may turn out to be impossible."""
        recipe, device, layers = self.recipe, self.device, self.layers
        if not resume and self.ranks.first:
            demand_no_run(self.folder)
        demand_shared(recipe.batch, self.ranks.size, towers)
        prepare(recipe.precision, device)
        if towers and recipe.precision == "float16":
            raise InputError("--towers: two towers are not trained in float16: leave it out")
        if layers is not None:
            # Read once: somebody may go on writing in that file while it trains.
            self.kinds, self.code = own_layers(layers), layers.read_bytes()
        self.data = data.load(recipe.data)
        demand_crop(recipe, self.data)
        if recipe.colour and self.data.colours is None:
            raise InputError(
                f"{recipe.data}: nobody measured how its colours vary, which colour noise needs; "
                "prepare it again, or train with --colour 0"
            )
        self.see = recipe.seen(self.data.mean, device)
        with blamed_on(layers):
            self.net = self._network()
            demand_fit(self.net, recipe.network, *self.see.mean.shape[:2])
        if towers:
            Tower(self.net, None, 0)
        self.sgd = recipe.optimiser()
        self.sgd.check_patterns(self.net.params)

    def _begin_or_take_up(self, resume: bool) -> None:
        if not self.ranks.first:
            return
        if resume:
            self._take_up()
        else:
            self.net.params = {name: self.device.put(w) for name, w in self._initial().items()}
            self._begin()
        self.write("recipe.json", as_json(self.recipe).encode())
        if self.layers is not None:
            self.write(LAYERS, self.code)

    def _facts(self) -> dict:
        """What has to be the same on all ranks."""
        pictures = hashlib.sha256(self.data.mean.tobytes())
        for split in (self.data.train, self.data.test):
            pictures.update(np.ascontiguousarray(split.labels, np.int64).tobytes())
            pictures.update(split.images[:16].tobytes())
        return {
            "version of minialexnet": __version__,
            "version of NumPy": np.__version__,
            **dataclasses.asdict(self.recipe),
            "folder of the run": str(self.folder),
            "pictures (by checksum)": f"{self.data.source}, {pictures.hexdigest()[:16]}",
            "layers of one's own (by checksum)": fingerprint(self.code),
        }

    def _join(self) -> None:
        """Take over what the first rank begins with."""
        if self.ranks.size == 1:
            return
        get, put = self.device.get, self.device.put
        arrays = (self.net.params, self.sgd.velocity)
        mine = [{name: get(array) for name, array in some.items()} for some in arrays]
        params, velocity, self.progress = self.ranks.given((*mine, self.progress))
        self.net.params = {name: put(array) for name, array in params.items()}
        self.sgd.velocity = {name: put(array) for name, array in velocity.items()}

    def _split(self, pair: Alone) -> None:
        """Keep one tower of the network, and leave the other to the other rank."""
        self.tower = Tower(self.net, pair, pair.rank)
        self.sgd.velocity = self.tower.own(self.sgd.velocity) or {
            # Known by name before the first step, which would look for patterns of the other tower.
            name: namespace(weight).zeros_like(weight)
            for name, weight in self.tower.params.items()
        }
        self.net = self.tower

    def _network(self) -> Network:
        try:
            return network(
                self.recipe.network, len(self.data.classes), self.recipe.seed, **self.kinds
            )
        except TypeError as error:
            if not self.kinds:
                raise
            raise InputError(
                f"{self.layers}: {error}; a layer is made with the same arguments as the library's"
            ) from error

    def _initial(self) -> dict:
        """The weights that the recipe begins with, on the host."""
        rng = generator("weights", self.recipe.seed)
        some = self.data.train.images[rng.permutation(len(self.data.train.labels))[:64]]
        forget(self.data.train.images)
        see = self.recipe.seen(self.data.mean, backend.device("cpu"))
        return initialised(self.recipe.init, self.net, rng, see(some))

    def _begin(self) -> None:
        new = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.folder} cannot be made: {error.strerror}") from error
        try:
            self.save(checkpoint.LAST)
        except OSError:
            if new:
                self.folder.rmdir()
            raise

    def _take_up(self) -> None:
        saved, path, wrong = checkpoint.load_last(self.folder)
        self._demand_same_layers(saved.about.get("layers"))
        checkpoint.give(self.net, saved, self.device, path)
        if saved.about["data"] != self._data() or not np.array_equal(saved.mean, self.data.mean):
            raise InputError(
                f"{self.recipe.data}: not the pictures that {self.folder} was trained on "
                f"({saved.about['data']['source']})"
            )
        self.sgd.velocity = {name: self.device.put(v) for name, v in saved.velocity.items()}
        self.progress = Progress(**saved.about["progress"])
        times = logged_times(self.folder / LOG)
        self.progress.history = [row | times.get(row["epoch"], {}) for row in self.progress.history]
        if wrong:
            self.keep = False
            where = f"epoch {self.progress.epoch + 1}, step {self.progress.step}"
            print(f"warning: {wrong}; going on from {path}, {where}", flush=True)

    def _own(self) -> dict:
        """What the run remembers of layers of one's own."""
        if self.layers is None:
            return {}
        about = {"file": str(self.layers), "kinds": sorted(self.kinds)}
        return {"layers": about | {"sha256": fingerprint(self.code)}}

    def _demand_same_layers(self, before: dict | None) -> None:
        """Raise InputError unless the run was begun with these layers."""
        if before is None and self.layers is None:
            return
        if before is None:
            raise InputError(
                f"{self.folder} was begun with the library's layers: leave --layers out"
            )
        theirs = f"{', '.join(before['kinds'])} of {before['file']}"
        if self.layers is None:
            raise InputError(f"{self.folder} was begun with the layers {theirs}: name it, --layers")
        if before["sha256"] != fingerprint(self.code):
            raise InputError(
                f"{self.layers}: not the file that {self.folder} was begun with ({theirs}; "
                f"a copy is {self.folder / LAYERS})"
            )

    def _data(self) -> dict:
        counts = {"train": len(self.data.train.labels), "test": len(self.data.test.labels)}
        return {"source": self.data.source, "classes": list(self.data.classes), **counts}

    @property
    def talking(self) -> float:
        """Seconds that went into messages between ranks."""
        groups = {
            id(one): one for one in (self.ranks, self.replicas, self.tower and self.tower.pair)
        }
        return sum(one.seconds for one in groups.values() if one)

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return data.steps_per_epoch(self.data.train, self.recipe.batch)

    def write(self, name: str, content: bytes) -> None:
        """Put a file into the folder, whole or not at all; on the first rank."""
        if not self.ranks.first:
            return
        with whole(self.folder / name) as file:
            file.write(content)

    def save(self, name: str) -> None:
        """Put the state into the folder, as checkpoint.npz or best.npz; on the first rank."""
        if not self.ranks.first and self.tower is None:
            return
        params, velocity = self._whole(self.net.params), self._whole(self.sgd.velocity)
        if not self.ranks.first:
            return
        state = checkpoint.Checkpoint(
            params=params,
            velocity=velocity,
            mean=self.data.mean,
            about={
                "version": __version__,
                "recipe": dataclasses.asdict(self.recipe),
                "progress": timeless(self.progress),
                "data": self._data(),
                **self._own(),
            },
        )
        if name == checkpoint.LAST:
            checkpoint.save_last(self.folder, state, self.keep)
            self.keep = True
        else:
            checkpoint.save(self.folder / name, state)

    def _whole(self, arrays: dict) -> dict:
        """The arrays on the host, of both towers if there are two."""
        arrays = {name: self.device.get(array) for name, array in arrays.items()}
        return arrays if self.tower is None else self.tower.whole(arrays)

    def rows(self) -> list[dict]:
        """A row for each epoch so far, and one for the epoch under way."""
        rows, progress = list(self.progress.history), self.progress
        if progress.step and progress.seconds:
            errors = [row["test_error"] for row in rows]
            rate = self.recipe.learning_rate()(progress.epoch + progress.step / self.steps, errors)
            row = row_so_far(progress, rate)
            rows.append(row | {"epoch": round(progress.epoch + progress.step / self.steps, 4)})
        return rows

    def log(self) -> None:
        """Write log.csv, the epochs so far, and now and then curves.png."""
        rows = self.rows()
        if not rows or not self.ranks.first:
            return
        table = io.StringIO(newline="")
        named = [name for name in COLUMNS if any(name in row for row in rows)]
        writer = csv.DictWriter(table, named, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        self.write(LOG, table.getvalue().encode())
        if time.monotonic() - self.drawn_at >= DRAW:
            self.curves()

    def curves(self) -> None:
        """Draw curves.png."""
        from minialexnet import look

        if rows := self.rows():
            self.draw("curves.png", look.curves(rows))
        self.drawn_at = time.monotonic()

    def draw(self, name: str, figure) -> None:
        """Put a picture into the folder."""
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=120)
        self.write(name, picture.getvalue())

    def pictures(self) -> None:
        """Draw curves.png, filters.png and predictions.png."""
        from minialexnet import look

        if self.ranks.first:
            self.curves()

        test = self.data.test
        some = np.random.default_rng(0).permutation(len(test.labels))[:8]
        images, labels = test.images[some], test.labels[some]
        believed = probabilities(self.running, images, self.see)
        name = next(iter(self.net.params))
        first = self._whole({name: self.net.params[name]})[name]
        if not self.ranks.first:
            return
        self.draw("filters.png", look.filters(first))
        self.draw("predictions.png", look.predictions(images, labels, believed, self.data.classes))

    def go(self, save_minutes: float = 10.0, board: Board | None = None) -> bool:
        """Train to the end of the recipe, or until Ctrl-C.

        Parameters
        ----------
        save_minutes : how often to save within an epoch; the end of an epoch is always saved
        board : gets the row of each epoch

        Returns
        -------
        True at the end of the recipe, False if the run was asked to stop. Either way all is saved.

        Raises
        ------
        Diverged
            If the loss becomes NaN or infinite. What was saved last is still there.
        InputError
            If another process trains in the same folder, or memory does not do.
        """
        saved_at = time.monotonic()
        before = self.net.params
        # What overflows is reported by the layer; NumPy's warnings name lines of the library.
        quiet = warnings.catch_warnings(action="ignore", category=RuntimeWarning)
        mine = blamed_on(self.layers)
        lock = self._lock()
        enough = self._enough_memory()
        with lock, Stop() as stop, quiet, mine, enough, self._bar() as bar:
            for losses in train(
                self.running,
                self.sgd,
                self.data,
                self.recipe,
                self.device,
                self.progress,
                self.replicas,
            ):
                self._watch(losses, before)
                if 0 < self.progress.scale < 1:
                    raise self._diverged("gradients overflow however they are scaled", self._done)
                before = self.net.params
                bar.update(len(losses))
                stopping, due = self.ranks.any(stop.asked, _passed(saved_at, save_minutes))
                if self.progress.step == 0 or stopping or due:
                    self._demand_finite()
                    demand_alike(self.replicas, self.net.params, self.device)
                    if self.progress.step == 0:
                        self._end_epoch(bar)
                        if board is not None:
                            board.add(self.progress.history[-1])
                    # The log first: a state that is saved is never without its row.
                    self.log()
                    self.save(checkpoint.LAST)
                    saved_at = time.monotonic()
                if stopping:
                    break
        self.pictures()
        return self.progress.epoch == self.recipe.epochs

    @contextmanager
    def _enough_memory(self) -> Iterator[None]:
        """Says what to try where there is not; what was saved last is still there."""
        try:
            yield
        except MemoryError as error:
            batch, gpu = self.recipe.batch, self.device.name != "cpu"
            cures = [f"--batch {batch // 2}"] if batch > 1 else []
            cures += [f"--workspace {self.recipe.workspace // 2}"] if gpu else []
            limit = os.environ.get("CUPY_GPU_MEMORY_LIMIT") if gpu else None
            raise InputError(
                f"{self.device.name} has not enough memory for steps of {batch} images "
                f"({error or 'no size known'}): try {' or '.join(cures) or 'another machine'}"
                + (f"; CUPY_GPU_MEMORY_LIMIT is {limit}" if limit else "")
                + f". {self.folder / checkpoint.LAST} is the last state that was saved"
            ) from error

    def _lock(self) -> ExitStack:
        """The folder, kept from other jobs until the block ends."""
        lock = ExitStack()
        mine = alone(self.folder, "training") if self.ranks.first else nullcontext()
        self.ranks.together(lambda: lock.enter_context(mine))
        return lock

    def _bar(self) -> tqdm:
        # disable=None: nothing is drawn where nobody watches.
        hidden = None if self.ranks.first else True
        return tqdm(
            total=self.steps, initial=self.progress.step, unit="step", leave=False, disable=hidden
        )

    def _end_epoch(self, bar: tqdm) -> None:
        history = self.progress.history
        bar.clear()
        print(self._line(history[-1]), flush=True)
        bar.reset()
        if history[-1]["test_error"] == min(row["test_error"] for row in history):
            self.save(checkpoint.BEST)

    def _line(self, row: dict) -> str:
        epochs = self.recipe.epochs
        seconds = [r["seconds"] for r in self.progress.history if "seconds" in r]
        left = timedelta(seconds=round(sum(seconds) / len(seconds) * (epochs - row["epoch"])))
        top5 = f"  top-5 {row['test_error_top5']:6.2%}" if "test_error_top5" in row else ""
        return (
            f"epoch {row['epoch']:>{len(str(epochs))}}/{epochs}  loss {row['loss']:.4f}  "
            f"train error {row['train_error']:6.2%}  test error {row['test_error']:6.2%}{top5}  "
            f"{row['images_per_s']:,.0f} images/s  {left} left{_skipped(row)}"
        )

    @property
    def _done(self) -> int:
        """Steps since the run began."""
        return self.progress.epoch * self.steps + self.progress.step

    def _watch(self, losses: list[float], before: dict) -> None:
        """Stop a run that has diverged, report one that does not move.

        Parameters
        ----------
        losses : of the latest steps, nats
        before : the parameters before them
        """
        classes = len(self.data.classes)
        for done, loss in enumerate(losses, self._done - len(losses) + 1):
            self.recent.append(loss)
            if not math.isfinite(loss):
                self.net.params = before
                raise self._diverged(f"the loss became {loss}", done)
            if done == self.recipe.stall_after and stuck(np.mean(self.recent), classes):
                print(
                    f"warning: after {done} steps the loss is still {np.mean(self.recent):.3f}, "
                    f"as if guessing among {classes} classes. It needs longer, or the initial "
                    "weights or --rate are wrong. Activations, standard deviation by layer:\n"
                    f"{self._activations()}",
                    flush=True,
                )

    def _demand_finite(self) -> None:
        """Raise Diverged for a state not worth saving: no loss has seen these weights yet."""
        scores = self.device.get(self.running(self.see(self.data.train.images[:16])))
        if not np.isfinite(scores).all():
            raise self._diverged("the scores became NaN or infinite", self._done)

    def _diverged(self, what: str, done: int) -> Diverged:
        """What to raise because of the step after which so many were done."""
        return Diverged(
            f"{what} in epoch {(done - 1) // self.steps + 1}; "
            f"{self.folder / checkpoint.LAST} is the last good state. Try a lower --rate"
            f"{self._or_more_bits()}. "
            f"Activations, standard deviation by layer:\n{self._activations()}"
        )

    def _or_more_bits(self) -> str:
        half = self.recipe.precision == "float16"
        return " or --precision float32 (float16 ends at 65,504)" if half else ""

    def _activations(self) -> str:
        some = self.see(self.data.train.images[:16])
        return report(activation_scales(self.net, some, self.device))


def _skipped(row: dict) -> str:
    """What a row says of steps in which float16 overflowed, if there were any."""
    if not row.get("skipped"):
        return ""
    steps = "a step" if row["skipped"] == 1 else f"{row['skipped']} steps"
    return f"; {steps} skipped, in which float16 overflowed (scale {row['scale']:,.0f})"


def _passed(since: float, minutes: float) -> bool:
    return time.monotonic() - since >= 60 * minutes


class Stop:
    """Turns the first Ctrl-C (or SIGTERM) into a request; a second one ends the program at once."""

    def __init__(self):
        self.asked = False

    def __enter__(self):
        self._before = {s: signal.signal(s, self._ask) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def _ask(self, number, frame):
        self.asked = True
        self.__exit__()

    def __exit__(self, *error):
        for number, handler in self._before.items():
            signal.signal(number, handler)
