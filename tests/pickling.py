"""Files as PyTorch and NumPy write them, and as an attacker would, put together byte by byte."""

import io
import struct
import zipfile

import numpy as np


class Raw(bytes):
    """Instructions that are put into a pickle as they are; they leave one value on the stack."""


def name(module, what) -> Raw:
    return Raw(b"c" + f"{module}\n{what}\n".encode())


def called(function: Raw, *arguments) -> Raw:
    return Raw(function + encoded(arguments) + b"R")


def built(target: Raw, state) -> Raw:
    return Raw(target + encoded(state) + b"b")


def persistent(value) -> Raw:
    return Raw(encoded(value) + b"Q")


def encoded(value) -> bytes:
    """The instructions of protocol 2 for a value."""
    match value:
        case Raw():
            return value
        case None:
            return b"N"
        case bool():
            return b"\x88" if value else b"\x89"
        case int():
            digits = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            return b"\x8a" + bytes([len(digits)]) + digits
        case str():
            return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
        case bytes():  # text as Python 2 wrote it
            return b"T" + struct.pack("<i", len(value)) + value
        case tuple():
            return b"(" + b"".join(map(encoded, value)) + b"t"
        case list():
            return b"](" + b"".join(map(encoded, value)) + b"e"
        case dict():
            pairs = b"".join(encoded(key) + encoded(item) for key, item in value.items())
            return b"}(" + pairs + b"u"
    raise TypeError(type(value))


def pickled(value) -> bytes:
    return b"\x80\x02" + encoded(value) + b"."


# ---------------------------------------------------------------- PyTorch

KINDS = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage"}


def torch_tensor(key, array, count=None, offset=0, shape=None, strides=None, legacy=False):
    """What a state_dict's pickle says of an array that lies in a storage of its own."""
    size = array.size if count is None else count
    shape = array.shape if shape is None else shape
    if strides is None:
        strides = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
    storage = ("storage", name("torch", KINDS[array.dtype.str[1:]]), key, "cpu", size)
    storage = persistent((*storage, None) if legacy else storage)
    rebuild = name("torch._utils", "_rebuild_tensor_v2")
    hooks = called(name("collections", "OrderedDict"))
    return called(rebuild, storage, offset, shape, strides, False, hooks)


def state_dict(arrays, legacy=False) -> Raw:
    """An OrderedDict of tensors, with the note that PyTorch hangs onto it."""
    ordered = called(name("collections", "OrderedDict"))
    pairs = b"".join(
        encoded(word) + torch_tensor(str(key), array, legacy=legacy)
        for key, (word, array) in enumerate(arrays.items())
    )
    return built(Raw(ordered + b"(" + pairs + b"u"), {"_metadata": {"": {"version": 1}}})


def torch_zip(path, value, storages, members=(), root="net", compression=zipfile.ZIP_STORED):
    """A file as PyTorch writes it today, with further members."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(f"{root}/data.pkl", pickled(value))
        archive.writestr(f"{root}/byteorder", "little")
        for key, array in enumerate(storages):
            archive.writestr(f"{root}/data/{key}", array.tobytes())
        archive.writestr(f"{root}/version", "3\n")
        for word, content in members:
            archive.writestr(word, content)


def torch_legacy(path, value, storages):
    """A file as PyTorch wrote it until 2020."""
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    file = io.BytesIO()
    for part in (
        0x1950A86A20F9469CFC6C,
        1001,
        machine,
        value,
        list(map(str, range(len(storages)))),
    ):
        file.write(pickled(part))
    for array in storages:
        file.write(struct.pack("<q", array.size) + array.tobytes())
    path.write_bytes(file.getvalue())


# ---------------------------------------------------------------- NumPy


def npy(path, pickle: bytes):
    """An .npy file of one object."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + pickle)


def numpy_array(array) -> Raw:
    """What Python 2 wrote of an array."""
    made = called(
        name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"), (0,), b"b"
    )
    dtype = called(name("numpy", "dtype"), array.dtype.str[1:].encode(), 0, 1)
    dtype = built(dtype, (3, b"<", None, None, None, -1, -1, 0))
    return built(made, (1, array.shape, dtype, False, array.tobytes()))
