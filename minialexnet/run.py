"""A run and its folder: recipe.json, log.csv, checkpoints and pictures.

==================  =========================================================================
recipe.json         every number of the run
log.csv             a row for each epoch
checkpoint.npz      the last state: weights, velocity, mean picture, progress, class names
best.npz            the state with the lowest test error so far
curves.png          loss and errors over the epochs
filters.png         the filters of the first layer
predictions.png     test pictures with the five classes found most probable
==================  =========================================================================
"""

import csv
import dataclasses
import io
import math
import signal
import time
import warnings
from collections import deque
from datetime import timedelta
from pathlib import Path

import numpy as np
from tqdm import tqdm

from minialexnet import __version__, backend, checkpoint, data, networks
from minialexnet.backend import Device
from minialexnet.chance import generator
from minialexnet.data import Dataset
from minialexnet.engine import for_cpu
from minialexnet.errors import InputError
from minialexnet.evaluate import probabilities
from minialexnet.files import whole
from minialexnet.guard import activation_scales, report, stuck
from minialexnet.initial import initialised
from minialexnet.layers import Network
from minialexnet.recipe import Recipe, as_json, from_dict
from minialexnet.train import Progress, train

RECENT = 100


class Diverged(Exception):
    """The numbers became NaN or infinite; the run cannot go on."""


def network(name: str, classes: int, seed: int) -> Network:
    """A network with its initial weights, on the host."""
    return getattr(networks, name)(generator("weights", seed), classes)


def for_device(net: Network, device: Device, engine: str, shape, threads: int) -> Network:
    """The network as it runs best there: by an engine on a CPU, as it is on a GPU.

    Parameters
    ----------
    engine, shape, threads : as for `engine.for_cpu`
    """
    return for_cpu(net, engine, shape, threads) if device.name == "cpu" else net


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


def vacant(name: str) -> Path:
    """The first of runs/name, runs/name-2, runs/name-3 ... that does not exist yet."""
    number = 1
    while (folder := Path("runs", name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder


def demand_no_run(folder) -> None:
    """Raise InputError if the folder holds a run."""
    if any(
        (Path(folder) / name).exists() for name in ("checkpoint.npz", "best.npz", "recipe.json")
    ):
        raise InputError(
            f"{folder} holds a run already: go on with it (--resume) or choose another --out"
        )


def run_recipe(folder: Path) -> Recipe:
    """The recipe of the run in a folder."""
    path = folder / "checkpoint.npz"
    if not path.exists():
        raise InputError(f"{folder} holds no run to resume: checkpoint.npz is missing")
    return from_dict(checkpoint.load(path).about["recipe"], path)


class Run:
    """A run under way: where it is, what it learns, and the folder that it keeps.

    Parameters
    ----------
    recipe : every number of it
    folder : where it is kept
    device : where it runs
    threads : how many slices are worked on at a time, on a CPU
    resume : False begins; True goes on from the folder's checkpoint as if nothing had happened

    Raises
    ------
    InputError
        If the folder holds a run already (or none, to resume), cannot be written to, or the data
        do not fit the network, or are not those that the run began with.
    """

    def __init__(
        self, recipe: Recipe, folder: Path, device: Device, threads: int, resume: bool = False
    ):
        if not resume:
            demand_no_run(folder)
        self.recipe, self.folder, self.device = recipe, folder, device
        self.data = data.load(recipe.data)
        demand_crop(recipe, self.data)
        self.see = recipe.seen(self.data.mean, device)
        self.net = network(recipe.network, len(self.data.classes), recipe.seed)
        demand_fit(self.net, recipe.network, *self.see.mean.shape[:2])
        self.sgd = recipe.optimiser()
        self.sgd.check_patterns(self.net.params)
        self.progress = Progress()
        self.recent: deque[float] = deque(maxlen=RECENT)
        if resume:
            self._take_up(folder / "checkpoint.npz")
        else:
            self.net.params = {name: device.put(w) for name, w in self._initial().items()}
            self._begin()
        self.write("recipe.json", as_json(recipe).encode())
        shape = self.see.mean.shape
        self.running = for_device(self.net, device, recipe.engine, shape, threads)

    def _initial(self) -> dict:
        """The weights that the recipe begins with, on the host."""
        rng = generator("weights", self.recipe.seed)
        some = self.data.train.images[rng.permutation(len(self.data.train.labels))[:64]]
        see = self.recipe.seen(self.data.mean, backend.device("cpu"))
        return initialised(self.recipe.init, self.net, rng, see(some))

    def _begin(self) -> None:
        new = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{self.folder} cannot be made: {error.strerror}") from error
        try:
            self.save("checkpoint.npz")
        except OSError:
            if new:
                self.folder.rmdir()
            raise

    def _take_up(self, path: Path) -> None:
        saved = checkpoint.load(path)
        checkpoint.give(self.net, saved, self.device, path)
        if saved.about["data"] != self._data() or not np.array_equal(saved.mean, self.data.mean):
            raise InputError(
                f"{self.recipe.data}: not the pictures that {self.folder} was trained on "
                f"({saved.about['data']['source']})"
            )
        self.sgd.velocity = {name: self.device.put(v) for name, v in saved.velocity.items()}
        self.progress = Progress(**saved.about["progress"])

    def _data(self) -> dict:
        counts = {"train": len(self.data.train.labels), "test": len(self.data.test.labels)}
        return {"source": self.data.source, "classes": list(self.data.classes), **counts}

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return data.steps_per_epoch(self.data.train, self.recipe.batch)

    def write(self, name: str, content: bytes) -> None:
        """Put a file into the folder, whole or not at all."""
        with whole(self.folder / name) as file:
            file.write(content)

    def save(self, name: str) -> None:
        """Put the state into the folder, as checkpoint.npz or best.npz."""
        get = self.device.get
        state = checkpoint.Checkpoint(
            params={key: get(w) for key, w in self.net.params.items()},
            velocity={key: get(v) for key, v in self.sgd.velocity.items()},
            mean=self.data.mean,
            about={
                "version": __version__,
                "recipe": dataclasses.asdict(self.recipe),
                "progress": dataclasses.asdict(self.progress),
                "data": self._data(),
            },
        )
        checkpoint.save(self.folder / name, state)

    def log(self) -> None:
        """Write log.csv: all the epochs so far."""
        table = io.StringIO(newline="")
        writer = csv.DictWriter(table, self.progress.history[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.progress.history)
        self.write("log.csv", table.getvalue().encode())

    def pictures(self) -> None:
        """Draw curves.png, filters.png and predictions.png."""
        from minialexnet import look

        test = self.data.test
        some = np.random.default_rng(0).permutation(len(test.labels))[:8]
        images, labels = test.images[some], test.labels[some]
        believed = probabilities(self.running, images, self.see)
        first = self.device.get(next(iter(self.net.params.values())))
        drawn = {
            "filters.png": look.filters(first),
            "predictions.png": look.predictions(images, labels, believed, self.data.classes),
        }
        if self.progress.history:
            drawn["curves.png"] = look.curves(self.progress.history)
        for name, figure in drawn.items():
            picture = io.BytesIO()
            figure.savefig(picture, format="png", dpi=120)
            self.write(name, picture.getvalue())

    def go(self, save_minutes: float = 10.0) -> bool:
        """Train to the end of the recipe, or until Ctrl-C.

        Parameters
        ----------
        save_minutes : how often to save within an epoch; the end of an epoch is always saved

        Returns
        -------
        True at the end of the recipe, False if the run was asked to stop. Either way all is saved.

        Raises
        ------
        Diverged
            If the loss becomes NaN or infinite. What was saved last is still there.
        """
        saved_at = time.monotonic()
        before = self.net.params
        # What overflows is reported by the layer; NumPy's warnings name lines of the library.
        quiet = warnings.catch_warnings(action="ignore", category=RuntimeWarning)
        with Stop() as stop, quiet, self._bar() as bar:
            for loss in train(
                self.running, self.sgd, self.data, self.recipe, self.device, self.progress
            ):
                self._watch(loss, before)
                before = self.net.params
                bar.update()
                if self.progress.step == 0 or stop.asked or _passed(saved_at, save_minutes):
                    self._demand_finite()
                    if self.progress.step == 0:
                        self._end_epoch(bar)
                    self.save("checkpoint.npz")
                    saved_at = time.monotonic()
                if stop.asked:
                    break
        self.pictures()
        return self.progress.epoch == self.recipe.epochs

    def _bar(self) -> tqdm:
        # disable=None: nothing is drawn where nobody watches.
        return tqdm(
            total=self.steps, initial=self.progress.step, unit="step", leave=False, disable=None
        )

    def _end_epoch(self, bar: tqdm) -> None:
        history = self.progress.history
        bar.clear()
        print(self._line(history[-1]), flush=True)
        bar.reset()
        if history[-1]["test_error"] == min(row["test_error"] for row in history):
            self.save("best.npz")
        self.log()

    def _line(self, row: dict) -> str:
        epochs = self.recipe.epochs
        mean = sum(r["seconds"] for r in self.progress.history) / len(self.progress.history)
        left = timedelta(seconds=round(mean * (epochs - row["epoch"])))
        top5 = f"  top-5 {row['test_error_top5']:6.2%}" if "test_error_top5" in row else ""
        return (
            f"epoch {row['epoch']:>{len(str(epochs))}}/{epochs}  loss {row['loss']:.4f}  "
            f"train error {row['train_error']:6.2%}  test error {row['test_error']:6.2%}{top5}  "
            f"{row['images_per_s']:,.0f} images/s  {left} left"
        )

    @property
    def _done(self) -> int:
        """Steps since the run began."""
        return self.progress.epoch * self.steps + self.progress.step

    def _watch(self, loss: float, before: dict) -> None:
        """Stop a run that has diverged, report one that does not move.

        Parameters
        ----------
        loss : of the step just done, nats
        before : the parameters that gave it
        """
        self.recent.append(loss)
        if not math.isfinite(loss):
            self.net.params = before
            raise self._diverged(f"the loss became {loss}")
        classes = len(self.data.classes)
        if self._done == self.recipe.stall_after and stuck(np.mean(self.recent), classes):
            print(
                f"warning: after {self._done} steps the loss is still {np.mean(self.recent):.3f}, "
                f"as if guessing among {classes} classes. It needs longer, or the initial weights "
                "or --rate are wrong. Activations, standard deviation by layer:\n"
                f"{self._activations()}",
                flush=True,
            )

    def _demand_finite(self) -> None:
        """Raise Diverged for a state not worth saving: no loss has seen these weights yet."""
        scores = self.device.get(self.net(self.see(self.data.train.images[:16])))
        if not np.isfinite(scores).all():
            raise self._diverged("the scores became NaN or infinite")

    def _diverged(self, what: str) -> Diverged:
        return Diverged(
            f"{what} in epoch {(self._done - 1) // self.steps + 1}; "
            f"{self.folder / 'checkpoint.npz'} is the last good state. Try a lower --rate. "
            f"Activations, standard deviation by layer:\n{self._activations()}"
        )

    def _activations(self) -> str:
        some = self.see(self.data.train.images[:16])
        return report(activation_scales(self.net, some, self.device))


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
