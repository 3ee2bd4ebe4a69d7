"""Dictionaries of arrays in NumPy's files: .npz, and .npy such as bvlc_alexnet.npy.

An .npz file holds plain arrays. A dictionary in an .npy file is a pickle; it is read by `pickles`,
which knows arrays alone and calls nothing.
"""

import io
import math
import re
import zipfile
from pathlib import Path

import numpy as np

from minialexnet.errors import InputError
from minialexnet.weights import pickles
from minialexnet.weights.words import cut, reading

# What all arrays of an .npz file may be, bytes: they can be compressed a thousand times. AlexNet in
# float64 has 488 MB.
LIMIT = 2**29
HINT = (
    "; only arrays are read. In a program that trusts the file, save them as .npz: "
    "numpy.savez(FILE, **{'conv1.weight': array, ...})"
)
# The header of an .npy file looks like a dictionary of Python's; Python 2 wrote 3 as 3L on Windows.
FIELD = re.compile(r"'(descr|fortran_order|shape)':\s*('[^']*'|True|False|\([\dL, ]*\))")
NUMBERS = re.compile(r"[<>|=]?(f[248]|[iu][1248]|b1)")
# How long it and how large one size in it may be, bytes and digits; numbers of axes.
HEADER, DIGITS, AXES = 1000, 18, 8
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
    with reading(path, "a file of NumPy's"):
        content = path.read_bytes()
        if content.startswith(b"PK"):
            return _archive(content)
        return _flat(_dictionary(io.BytesIO(content)))


def _archive(content: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        claimed = sum(member.file_size for member in members)
        if claimed > LIMIT:
            raise InputError(f"arrays of {claimed:,} bytes, expected at most {LIMIT:,}")
        if any(member.filename == "about.npy" for member in members):
            raise InputError(
                "a run of minialexnet already: give it to predict or evaluate as it is"
            )
        arrays = {}
        for member in members:
            name = _ours(member.filename.removesuffix(".npy"))
            with archive.open(member) as file:
                raw = file.read(member.file_size)
            _add(arrays, name, _array(name, io.BytesIO(raw), len(raw)))
        return arrays


def _add(arrays: dict, name: str, array: np.ndarray) -> None:
    if name in arrays:
        raise InputError(f"two arrays {cut(name)!r}")
    arrays[name] = array


def _header(file: io.BytesIO) -> tuple[tuple[int, ...], bool, str]:
    """The shape, the order of the elements and the code of their kind that an .npy file says.

    NumPy itself has Python parse it, which large nests of signs and brackets bring to its end.
    """
    magic = file.read(8)
    wide = {b"\x93NUMPY\x01\x00": 2, b"\x93NUMPY\x02\x00": 4}.get(magic)
    if wide is None:
        raise InputError(f"expected an .npy file of version 1 or 2, got {cut(magic[6:])}")
    length = int.from_bytes(file.read(wide), "little")
    text = str(file.read(min(length, HEADER + 1)), "latin-1")
    said = dict(FIELD.findall(text))
    if length > HEADER or len(said) != 3 or FIELD.sub("", text).strip(" \n{},"):
        raise InputError(f"an .npy file with the header {cut(text)}")
    sizes = [size.strip(" L") for size in said["shape"].strip("()").split(",") if size.strip()]
    if len(sizes) > AXES or not all(size.isdigit() and len(size) <= DIGITS for size in sizes):
        raise InputError(f"an .npy file with the shape {cut(said['shape'])}")
    return tuple(map(int, sizes)), said["fortran_order"] == "True", said["descr"].strip("'")


def _array(name: str, file: io.BytesIO, size: int) -> np.ndarray:
    shape, fortran, code = _header(file)
    if not NUMBERS.fullmatch(code):
        found = "objects" if code.endswith("O") else repr(cut(code))
        raise InputError(f"{cut(name)}: {found}, expected numbers{HINT}")
    dtype, rest = np.dtype(code), size - file.tell()
    if math.prod(shape) * dtype.itemsize != rest:
        raise InputError(f"{cut(name)}: {rest:,} bytes for {dtype} of shape {shape}")
    flat = np.frombuffer(file.read(), dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def _dictionary(file: io.BytesIO) -> dict:
    """The dictionary in an .npy file: an array of one object, which is a pickle."""
    shape, _, code = _header(file)
    if not re.fullmatch(r"[|]?O", code) or math.prod(shape) != 1:
        kind = np.dtype(code) if NUMBERS.fullmatch(code) else repr(cut(code))
        raise InputError(f"one array of {kind}, expected a dictionary of arrays")
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
                raise InputError(f"{cut(name)}: expected an array, got {type(array).__name__}")
            _add(found, name, array.array)
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
            raise InputError(f"an array of {cut(code)!r}, expected floating-point numbers{HINT}")
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
        sizes = len(shape) <= AXES and all(type(n) is int and n >= 0 for n in shape)
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
