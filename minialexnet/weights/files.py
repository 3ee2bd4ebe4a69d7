"""Any file of weights: which kind it is, its content decides."""

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from minialexnet.errors import InputError
from minialexnet.weights import numpy_file, safetensors, torch_file
from minialexnet.weights.words import reading


@dataclass(frozen=True)
class Weights:
    """What a file holds.

    Parameters
    ----------
    tensors : {name: array}
    caffe : whether they are laid out as in Caffe's .npy files, instead of as in PyTorch
    words : {name: text}, what else a .safetensors file says
    """

    tensors: dict[str, np.ndarray]
    caffe: bool = False
    words: dict[str, str] = field(default_factory=dict)


def read(path) -> Weights:
    """The weights in a .pth, .safetensors, .npz or .npy file.

    Raises
    ------
    InputError
        If the file is missing, of another kind, broken, or holds anything but arrays. Nothing in
        it is executed.
    """
    path = Path(path)
    with reading(path, "a file of weights"), path.open("rb") as file:
        first = file.read(9)
    # First of all, because the length of a header may begin with the bytes of another kind.
    if first[4:] == b"\x00\x00\x00\x00{":
        tensors, words = safetensors.read(path)
        return Weights(tensors, words=words)
    if first.startswith(b"\x93NUMPY"):
        return Weights(numpy_file.read(path), caffe=True)
    if first.startswith(b"PK"):
        if _holds_arrays(path):
            return Weights(numpy_file.read(path), caffe=True)
        return Weights(torch_file.read(path))
    if first.startswith(b"\x80"):
        return Weights(torch_file.read(path))
    raise InputError(f"{path}: expected a .pth, .safetensors, .npz or .npy file")


def _holds_arrays(path: Path) -> bool:
    """Whether a zip archive is one of NumPy's."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        return bool(names) and all(name.endswith(".npy") for name in names)
    except Exception:  # a damaged archive raises a dozen kinds; its reader says what is wrong
        return False
