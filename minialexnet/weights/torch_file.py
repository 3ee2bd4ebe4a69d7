"""PyTorch's files, .pth or .pt, read without PyTorch: tensors by name, and nothing else.

==============  ===================================================================================
since 2020      a zip archive: NAME/data.pkl, a pickle that says of each tensor in which storage
                it lies and how; NAME/data/0, NAME/data/1 ..., the storages, raw and uncompressed
before          one pickle after the other (a magic number, a version, the machine, the tensors,
                the storages' keys), then of each storage the number of its elements, and they
==============  ===================================================================================

The pickle is read by `pickles`, which calls nothing. No size that a file claims is believed before
it is compared with the bytes that are there. Nothing is unpacked to the disk.
"""

import io
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from minialexnet.errors import InputError
from minialexnet.weights import pickles
from minialexnet.weights.numbers import native
from minialexnet.weights.words import cut, reading

# Storages by PyTorch's names.
BFLOAT16 = "bfloat16"
STORAGES = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "BFloat16Storage": BFLOAT16,
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
# What the pickle with the tensors' names may weigh, bytes; AlexNet's is 2 kB.
PICKLE_LIMIT = 2**22
# Tensors may share storages, but not to the point where a small file fills the memory.
SHARED = 4
HINT = (
    "; only tensors are read. In a program that trusts the file: "
    "torch.save(model.state_dict(), FILE)"
)


@dataclass(frozen=True)
class Storage:
    """Where elements lie: a key, what they are, and how many the pickle says that there are."""

    key: str
    kind: str
    count: int


@dataclass(frozen=True)
class Tensor:
    """A part of a storage: elements offset + sum of index * stride."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read(path) -> dict[str, np.ndarray]:
    """The tensors of a state_dict.

    Parameters
    ----------
    path : a file that torch.save has written, of ``model.state_dict()``, or of a dictionary with
        it under "state_dict" or "model"; "module." before all names is taken off

    Returns
    -------
    {name: array}; floating-point numbers of any kind as float32, others as they are

    Raises
    ------
    InputError
        If the file is missing, broken, or holds anything but tensors. Nothing in it is executed.
    """
    path = Path(path)
    with reading(path, "a file of PyTorch's"):
        with path.open("rb") as file:
            zipped = file.read(2) == b"PK"
        return _zipped(path) if zipped else _legacy(path)


def _zipped(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        members = _members(archive, path.stat().st_size)
        (root,) = [name.removesuffix("data.pkl") for name in members if name.endswith("/data.pkl")]
        order = "<"
        if f"{root}byteorder" in members:
            order = {b"little": "<", b"big": ">"}[archive.read(members[f"{root}byteorder"])]
        described = members[f"{root}data.pkl"]
        if described.file_size > PICKLE_LIMIT:
            raise InputError(f"expected a description of its tensors, got {described.file_size} B")
        pickle = io.BytesIO(archive.read(described))
        tensors = _tensors(pickles.read(pickle, KNOWN, _persistent, HINT))

        def content(storage: Storage) -> bytes:
            member = members.get(f"{root}data/{storage.key}")
            if member is None:
                raise InputError(f"storage {cut(storage.key)} is missing")
            return archive.read(member)

        return _arrays(tensors, content, order, path.stat().st_size)


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The members by name, if they can be what they claim in a file of so many bytes."""
    if any(name.endswith("/constants.pkl") for name in archive.namelist()):
        raise InputError(f"a TorchScript program{HINT}")
    members = {}
    for member in archive.infolist():
        name = member.filename
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            raise InputError(f"an archive with a path in it, {cut(name)!r}")
        if name in members:
            raise InputError(f"an archive with two members {cut(name)!r}")
        if member.compress_type != zipfile.ZIP_STORED:
            raise InputError(f"an archive whose member {cut(name)!r} is compressed")
        if member.compress_size != member.file_size:
            raise InputError(f"an archive whose member {cut(name)!r} has two sizes")
        members[name] = member
    claimed = sum(member.file_size for member in members.values())
    if claimed > size:
        raise InputError(f"claims to hold {claimed:,} bytes, but is {size:,} bytes large")
    if sum(name.endswith("/data.pkl") for name in members) != 1:
        raise InputError("a zip archive, but none of PyTorch's")
    return members


def _legacy(path: Path) -> dict[str, np.ndarray]:
    content = path.read_bytes()
    file = io.BytesIO(content)
    if pickles.read(file, {}) != MAGIC or pickles.read(file, {}) != PROTOCOL:
        raise InputError("not a file of PyTorch's")
    machine = pickles.read(file, {})
    order = "<" if machine["little_endian"] else ">"
    sizes = {}

    def persistent(words) -> Storage:
        storage = _persistent(words)
        sizes.setdefault(storage.key, _bytes_each(storage))
        return storage

    tensors = _tensors(pickles.read(file, KNOWN, persistent, HINT))
    keys = pickles.read(file, {})
    places, start = {}, file.tell()
    for key in keys:
        if not isinstance(key, str) or key not in sizes:
            raise InputError(f"storage {pickles.shown(key)} belongs to no tensor")
        count = int.from_bytes(content[start : start + 8], "little", signed=True)
        end = start + 8 + count * sizes[key]
        if count < 0 or end > len(content):
            raise InputError(
                f"storage {cut(key)} claims {count:,} elements, more than the file holds"
            )
        places[key] = slice(start + 8, end)
        start = end

    def elements(storage: Storage) -> bytes:
        if storage.key not in places:
            raise InputError(f"storage {cut(storage.key)} is missing")
        return content[places[storage.key]]

    return _arrays(tensors, elements, order, len(content))


def _persistent(words) -> Storage:
    """The storage that a pickle speaks of."""
    kind, storage, key, _, count, *view = words
    if kind != "storage" or not isinstance(storage, pickles.Name) or any(view):
        raise InputError(f"a storage of an unknown kind{HINT}")
    if not isinstance(key, str) or type(count) is not int or count < 0:
        raise InputError("a storage without a key or a size")
    return Storage(key, STORAGES[storage.name], count)


def _rebuilt(storage, offset, shape, strides, _grad=False, _hooks=None, notes=None) -> Tensor:
    """Stands in for torch._utils._rebuild_tensor_v2, and for what came before it."""
    if not isinstance(storage, Storage):
        raise InputError("a tensor without a storage")
    if notes:
        # Such as that the numbers that follow are to be negated.
        raise InputError(f"a tensor with notes on how to read it{HINT}")
    shape, strides = tuple(shape), tuple(strides)
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or len(shape) > 8 or any(type(n) is not int for n in numbers):
        raise InputError(
            f"a tensor with the shape {pickles.shown(shape)} and the strides "
            f"{pickles.shown(strides)}"
        )
    last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    count = math.prod(shape)
    if min(numbers, default=0) < 0 or count > storage.count or (count and last >= storage.count):
        raise InputError(
            f"a tensor of shape {pickles.shown(shape)} and strides {pickles.shown(strides)} at "
            f"{pickles.shown(offset)} does not fit into a storage of {pickles.shown(storage.count)}"
        )
    return Tensor(storage, offset, shape, strides)


def _parameter(tensor, *_) -> Tensor:
    """Stands in for torch._utils._rebuild_parameter."""
    return tensor


KNOWN: Mapping = {
    ("collections", "OrderedDict"): pickles.dictionary,
    ("torch._utils", "_rebuild_tensor"): _rebuilt,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuilt,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    **{("torch", name): None for name in STORAGES},
}


def _tensors(value) -> dict[str, Tensor]:
    """The tensors by name, wherever training scripts keep them."""
    for name in ("state_dict", "model"):
        if isinstance(value, dict) and isinstance(value.get(name), dict):
            value = value[name]
    if not isinstance(value, dict):
        raise InputError(f"expected a dictionary of tensors, got {type(value).__name__}{HINT}")
    for name, tensor in value.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise InputError(
                f"expected tensors by name, got {type(tensor).__name__} {pickles.shown(name)}"
            )
    if value and all(name.startswith("module.") for name in value):
        return {name.removeprefix("module."): tensor for name, tensor in value.items()}
    return value


def _bytes_each(storage: Storage) -> int:
    return 2 if storage.kind == BFLOAT16 else np.dtype(storage.kind).itemsize


def _expect_bytes(storage: Storage, size: int) -> None:
    expected = storage.count * _bytes_each(storage)
    if size != expected:
        raise InputError(f"storage {cut(storage.key)}: expected {expected:,} bytes, got {size:,}")


def _arrays(
    tensors: dict[str, Tensor], content: Callable[[Storage], bytes], order: str, size: int
) -> dict[str, np.ndarray]:
    """The tensors as arrays of their own.

    Parameters
    ----------
    content : the bytes of a storage
    order : of the bytes in a number
    size : of the file, bytes
    """
    total = sum(math.prod(one.shape) * _bytes_each(one.storage) for one in tensors.values())
    if total > SHARED * size:
        raise InputError(f"tensors of {total:,} bytes in a file of {size:,}")
    storages, arrays = {}, {}
    for name, tensor in tensors.items():
        storage = tensor.storage
        if storage not in storages:
            raw = np.dtype("u2" if storage.kind == BFLOAT16 else storage.kind).newbyteorder(order)
            found = content(storage)
            # The strides below were checked against the count that the pickle claims.
            _expect_bytes(storage, len(found))
            storages[storage] = np.frombuffer(found, raw)
        flat = storages[storage]
        part = np.lib.stride_tricks.as_strided(
            flat[tensor.offset :],
            tensor.shape,
            [stride * flat.itemsize for stride in tensor.strides],
            writeable=False,
        )
        arrays[name] = native(part, storage.kind == BFLOAT16)
    return arrays
