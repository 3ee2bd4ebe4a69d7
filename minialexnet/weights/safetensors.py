"""The .safetensors format, read and written: a header in JSON, then the numbers.

Eight bytes say how long the header is (little-endian). It names for each tensor its dtype, its
shape, and from which to which byte of the rest it lies; "__metadata__" holds words.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from minialexnet.errors import InputError
from minialexnet.files import whole
from minialexnet.weights.numbers import native
from minialexnet.weights.words import cut, reading

METADATA = "__metadata__"
DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
WRITTEN = {np.dtype(code): name for name, code in DTYPES.items() if name != "BF16"}
HEADER_LIMIT = 100_000_000


def read(path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The tensors of a .safetensors file, and its words.

    Returns
    -------
    {name: array}; floating-point numbers of any kind as float32, others as they are
    {name: text}

    Raises
    ------
    InputError
        If the file is missing, or is not in every byte what the format asks for.
    """
    path = Path(path)
    with reading(path, "a .safetensors file"):
        content = memoryview(path.read_bytes())
        header, numbers = _parts(content)
        words = header.pop(METADATA, {})
        if not _is_words(words):
            raise InputError(f"expected text by name in {METADATA}")
        _expect_gapless(header, len(numbers))
        return {name: _array(name, entry, numbers) for name, entry in header.items()}, words


def write(path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None):
    """Write arrays by name, whole or not at all.

    Parameters
    ----------
    tensors : {name: array} in any order in memory
    metadata : {name: text}

    Raises
    ------
    InputError
        For a dtype that the format does not have, a tensor under the name that it keeps for
        metadata, and metadata that is not text.
    OSError
        If the file cannot be written.
    """
    header, pieces, end = {}, [], 0
    if METADATA in tensors:
        raise InputError(f"{path}: a .safetensors file cannot hold a tensor named {METADATA}")
    if metadata:
        header[METADATA] = dict(metadata)
        if not _is_words(header[METADATA]):
            raise InputError(f"{path}: expected text by name as metadata")
    for name, array in tensors.items():
        # Rows one after the other, whatever the array was a view of.
        array = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
        if array.dtype not in WRITTEN:
            raise InputError(f"{path}: {name}: a .safetensors file cannot hold {array.dtype}")
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": WRITTEN[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
        pieces.append(array)
    text = json.dumps(header).encode()
    # The numbers begin at a multiple of eight bytes.
    text += b" " * (-len(text) % 8)
    with whole(path) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in pieces:
            file.write(array.reshape(-1).view(np.uint8).data)


def _parts(content: memoryview) -> tuple[dict, memoryview]:
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(HEADER_LIMIT, len(content) - 8):
        raise InputError(f"a header of {length:,} bytes in a file of {len(content):,}")
    text = str(content[8 : 8 + length], "utf-8")
    if not text.startswith("{"):
        raise InputError("a header that is no JSON object")
    header = json.loads(text, object_pairs_hook=_without_twins, parse_constant=_refused)
    return header, content[8 + length :]


def _without_twins(pairs: list) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InputError("a header with the same name twice")
    return found


def _refused(constant: str):
    raise InputError(f"a header with {constant}")


def _is_words(words) -> bool:
    return isinstance(words, dict) and all(isinstance(text, str) for text in words.values())


def _expect_gapless(header: dict, size: int) -> None:
    """Raise InputError unless the tensors fill the rest of the file, without gap and overlap."""
    last = 0
    for start, end in sorted(entry["data_offsets"] for entry in header.values()):
        if type(start) is not int or type(end) is not int or start != last or end < start:
            found = cut(f"{start} to {end}")
            raise InputError(f"expected the next tensor at byte {cut(last)}, got {found}")
        last = end
    if last != size:
        raise InputError(f"tensors of {cut(f'{last:,}')} bytes in all, but {size:,} are there")


def _array(name: str, entry: dict, numbers: memoryview) -> np.ndarray:
    shape, (start, end) = entry["shape"], entry["data_offsets"]
    if entry["dtype"] not in DTYPES:
        raise InputError(f"{cut(name)}: unknown dtype {cut(entry['dtype'], 40)!r}")
    dtype = np.dtype(DTYPES[entry["dtype"]])
    sizes = all(type(n) is int and n >= 0 for n in shape) and len(shape) <= 8
    if not sizes or math.prod(shape) * dtype.itemsize != end - start:
        raise InputError(
            f"{cut(name)}: {end - start} bytes for {entry['dtype']} of shape {cut(shape, 80)}"
        )
    array = np.frombuffer(numbers[start:end], dtype).reshape(shape)
    return native(array, entry["dtype"] == "BF16")
