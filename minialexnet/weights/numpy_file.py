"""Dictionaries of arrays in NumPy's files: .npz, and .npy such as bvlc_alexnet.npy.

An .npz file holds plain arrays. A dictionary in an .npy file is a pickle; it is read by `pickles`,
which knows arrays alone and calls nothing.
"""

import io
import math
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from minialexnet.errors import InputError
from minialexnet.weights import pickles

# What all arrays of an .npz file may be, bytes: one can be compressed a thousand times.
LIMIT = 2**31
HINT = (
    "; only arrays are read. In a program that trusts the file, save them as .npz: "
    "numpy.savez(FILE, **{'conv1.weight': array, ...})"
)
# What others call a layer's two arrays: in a dictionary, or in a row.
PARTS = {"weights": "weight", "biases": "bias", "0": "weight", "1": "bias"}


def read(path) -> dict[str, np.ndarray]:
    """The arrays of the file.

    Parameters
    ----------
    path : .npz with arrays "conv1.weight" (or "conv1/weights"), "conv1.bias" ...; or .npy with a
        dictionary {"conv1": [weights, biases]} or {"conv1": {"weights": ..., "biases": ...}}

    Returns
    -------
    {name: array}, "conv1.weight", "conv1.bias" ...

    Raises
    ------
    InputError
        If the file is missing, broken, or holds anything but arrays. Nothing in it is executed.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        if content.startswith(b"PK"):
            return {_ours(name): array for name, array in _archive(content).items()}
        return _flat(_dictionary(io.BytesIO(content)))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged zip archive raises a dozen kinds
        raise InputError(f"{path}: not a file of NumPy's, or a damaged one ({error})") from error


def _archive(content: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        claimed = sum(member.file_size for member in members)
        if claimed > LIMIT:
            raise InputError(f"arrays of {claimed:,} bytes, expected at most {LIMIT:,}")
        arrays = {}
        for member in members:
            name = member.filename.removesuffix(".npy")
            if name in arrays:
                raise InputError(f"two arrays {name!r:.80}")
            with archive.open(member) as file:
                raw = file.read(member.file_size)
            arrays[name] = _array(name, io.BytesIO(raw), len(raw))
        return arrays


def _header(file: io.BytesIO):
    """The shape, the order and the dtype that an .npy file says."""
    version = npy.read_magic(file)
    if version == (1, 0):
        return npy.read_array_header_1_0(file)
    if version == (2, 0):
        return npy.read_array_header_2_0(file)
    raise InputError(f"an .npy file of version {version}, expected 1 or 2")


def _array(name: str, file: io.BytesIO, size: int) -> np.ndarray:
    shape, fortran, dtype = _header(file)
    if dtype.hasobject:
        raise InputError(f"{name}: objects, expected numbers{HINT}")
    rest = size - file.tell()
    if dtype.itemsize == 0 or math.prod(shape) * dtype.itemsize != rest:
        raise InputError(f"{name}: {rest:,} bytes for {dtype} of shape {shape}")
    flat = np.frombuffer(file.read(), dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def _dictionary(file: io.BytesIO) -> dict:
    """The dictionary in an .npy file: an array of one object, which is a pickle."""
    shape, _, dtype = _header(file)
    if not dtype.hasobject or math.prod(shape) != 1:
        raise InputError(f"one array of {dtype}, expected a dictionary of arrays")
    value = pickles.read(file, KNOWN, hint=HINT)
    if isinstance(value, _Array):
        value = value.array
    if isinstance(value, list) and len(value) == 1:
        (value,) = value
    if not isinstance(value, dict):
        raise InputError(f"expected a dictionary of arrays, got {type(value).__name__}")
    return value


def _flat(layers: dict) -> dict[str, np.ndarray]:
    """{"conv1.weight": array} of a dictionary of layers."""
    found = {}
    for layer, parts in layers.items():
        if isinstance(parts, list | tuple):
            parts = {str(place): part for place, part in enumerate(parts)}
        if not isinstance(parts, dict):
            parts = {"": parts}
        for part, array in parts.items():
            name = _ours(f"{_text(layer)}.{_text(part)}".rstrip("."))
            if not isinstance(array, _Array) or not isinstance(array.array, np.ndarray):
                raise InputError(f"{name:.80}: expected an array, got {type(array).__name__}")
            found[name] = array.array
    return found


def _text(word) -> str:
    return word.decode("latin-1") if isinstance(word, bytes) else str(word)


def _ours(name: str) -> str:
    """The name as it is called here: "conv1.weight"."""
    layer, _, part = name.replace("/", ".").rpartition(".")
    return f"{layer}.{PARTS.get(part, part)}" if layer else part


class _DType(pickles.Made):
    """Stands in for a NumPy dtype: floating-point numbers, or objects."""

    def __init__(self, code, *_):
        code = _text(code) if isinstance(code, str | bytes) else pickles.shown(code)
        if code not in ("f2", "f4", "f8", "O", "O8"):
            raise InputError(f"an array of {code!r:.40}, expected floating-point numbers{HINT}")
        self.dtype = None if code.startswith("O") else np.dtype(code)

    def build(self, state) -> None:
        order = _text(state[1]) if isinstance(state[1], str | bytes) else ""
        if order not in "<>=|" or len(order) != 1:
            raise InputError("a dtype without an order of its bytes")
        if self.dtype is not None:
            self.dtype = self.dtype.newbyteorder(order)


class _Array(pickles.Made):
    """Stands in for a NumPy array, or for an array of one object."""

    array = None

    def build(self, state) -> None:
        _, shape, dtype, fortran, content = state
        if not isinstance(dtype, _DType):
            raise InputError("an array without a dtype")
        if dtype.dtype is None:
            self.array = content
            return
        if isinstance(content, str):  # written by Python 2, where text was bytes
            content = content.encode("latin-1")
        sizes = all(type(n) is int and n >= 0 for n in shape)
        if not sizes or math.prod(shape) * dtype.dtype.itemsize != len(content):
            raise InputError(f"{len(content):,} bytes for an array of {pickles.shown(shape)}")
        flat = np.frombuffer(content, dtype.dtype)
        self.array = flat.reshape(shape, order="F" if fortran else "C")


def _encoded(text: str, encoding: str) -> bytes:
    """Stands in for codecs.encode, by which Python 3 puts bytes into old pickles."""
    if encoding != "latin1":
        raise InputError(f"bytes in {pickles.shown(encoding)}, expected latin1")
    return text.encode("latin-1")


KNOWN = {
    ("numpy", "ndarray"): None,
    ("numpy", "dtype"): _DType,
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("_codecs", "encode"): _encoded,
}
