"""A run on disk: one file, written whole or not at all, and checked when it is read.

The state before the last is kept too: should the last be damaged, little is lost.
"""

import json
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minialexnet.errors import InputError
from minialexnet.files import whole

FORMAT = 1
LAST, BEFORE, BEST = "checkpoint.npz", "previous.npz", "best.npz"


@dataclass
class Checkpoint:
    """All that a run depends on from here on, and all that a prediction needs.

    Parameters
    ----------
    params, velocity : {name: array} on the host
    mean : (H, W, 3) float32, the mean picture that is subtracted
    about : what goes into JSON: the recipe, the progress, the class names ...
    """

    params: dict
    velocity: dict
    mean: np.ndarray
    about: dict


def save(path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint as an .npz file, which NumPy alone can read.

    Raises
    ------
    OSError
        If it cannot be written; a checkpoint that was there before is still there.
    """
    arrays = {"mean": checkpoint.mean}
    arrays |= {f"params/{name}": array for name, array in checkpoint.params.items()}
    arrays |= {f"velocity/{name}": array for name, array in checkpoint.velocity.items()}
    about = {**checkpoint.about, "format": FORMAT, "arrays": sorted(arrays)}
    with whole(path) as file:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)


def save_last(folder: Path, checkpoint: Checkpoint, keep: bool = True) -> None:
    """Write a run's last state, and keep what was the last as the one before.

    Parameters
    ----------
    keep : False if what is there is not worth keeping, because it is damaged
    """
    last, before = folder / LAST, folder / BEFORE
    if keep and last.exists():
        # A second name for the same file takes the other name's place in one step: whatever
        # happens, both are there.
        link = folder / f".{BEFORE}"
        link.unlink(missing_ok=True)
        try:
            os.link(last, link)
        except OSError:  # some file systems know one name a file
            shutil.copyfile(last, link)
        link.replace(before)
        # Where both names are of one file already, nothing was renamed.
        link.unlink(missing_ok=True)
    save(last, checkpoint)


def load_last(folder: Path) -> tuple[Checkpoint, Path, str]:
    """A run's last state, or the one before if that is damaged.

    Returns
    -------
    the state, its file, and what is wrong with the last one: "" if nothing

    Raises
    ------
    InputError
        If there is no run, or both are damaged.
    """
    last, before = folder / LAST, folder / BEFORE
    if not last.exists() and not before.exists():
        raise InputError(f"{folder} holds no run: {LAST} is missing")
    try:
        return load(last), last, ""
    except InputError as error:
        if not before.exists():
            raise
        wrong = str(error)
    try:
        return load(before), before, wrong
    except InputError as error:
        raise InputError(f"{wrong}; and the one before it: {error}") from error


def load(path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    InputError
        If the file is missing, damaged in any byte that matters, or not a checkpoint. Nothing in
        it is ever executed.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        # NumPy stops reading before the checksum where a damaged header claims fewer entries.
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
        if broken is not None:
            raise InputError(f"{path}: the checkpoint is damaged (checksum of {broken})")
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(str(arrays.pop("about")))
        if about["format"] != FORMAT or about["arrays"] != sorted(arrays):
            raise InputError(f"{path}: the checkpoint is of another format or lacks parts")
        return Checkpoint(
            _under("params/", arrays), _under("velocity/", arrays), arrays["mean"], about
        )
    except InputError:
        raise
    except Exception as error:  # a damaged zip file raises a dozen kinds
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: not a checkpoint, or a damaged one ({reason})") from error


def _under(prefix: str, arrays: dict) -> dict:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def give(net, checkpoint: Checkpoint, device, path) -> None:
    """Put a checkpoint's parameters into a network.

    Raises
    ------
    InputError
        If it is another network's.
    """
    wanted = {name: array.shape for name, array in net.params.items()}
    came = {name: array.shape for name, array in checkpoint.params.items()}
    for name in [*wanted, *came]:
        if wanted.get(name) != came.get(name):
            raise InputError(
                f"{path}: a checkpoint of another network: {name} should be "
                f"{wanted.get(name, 'absent')}, is {came.get(name, 'absent')}"
            )
    net.params = {name: device.put(array) for name, array in checkpoint.params.items()}
