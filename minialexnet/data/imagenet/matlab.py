"""MATLAB's files (level 5), as far as the development kit's meta.mat needs them: by hand.

A file is a header of 128 bytes and elements, each with a kind, a size and that many bytes. A matrix
is an element made of elements: its class, its size, its name, its values. SciPy reads far more, but
a damaged file may end SciPy, and the program with it.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# The kinds of elements.
MATRIX, COMPRESSED = 14, 15
NUMBERS = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4"},
    **{7: "f4", 9: "f8", 12: "i8", 13: "u8"},
}
TEXTS = {
    **{1: "utf-8", 2: "utf-8", 16: "utf-8"},
    **{4: "utf-16", 17: "utf-16", 18: "utf-32"},
}
# The classes of matrices; those from 6 to 15 are of numbers.
STRUCT, CHAR = 2, 4
# Bytes that an element may unpack to; the kit's has less than 1 MB.
LARGEST = 2**24


def table(content: bytes, name: str) -> list[dict]:
    """The rows of the struct array of that name.

    Returns
    -------
    for each row its columns: text, a number, or None for anything else

    Raises
    ------
    Exception
        Almost any, if the file is damaged or has no such array.
    """
    file = _File({b"IM": "<", b"MI": ">"}[content[126:128]])
    for kind, data in file.elements(content[128:]):
        if kind == COMPRESSED:
            (kind, data), *_ = file.elements(_unpacked(data))
        if kind == MATRIX:
            class_, shape, called, rest = file.matrix(data)
            if (class_, called) == (STRUCT, name):
                return file.rows(shape, rest)
    raise ValueError(f"no table {name}")


def _unpacked(data: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    content = unpacking.decompress(data, LARGEST)
    if not unpacking.eof:
        raise ValueError("cut short, or too large")
    return content


@dataclass(frozen=True)
class _File:
    """What is in a file of this order of bytes, "<" or ">"."""

    order: str

    def elements(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The kinds of elements that follow one another, and what is in them."""
        place = 0
        while place < len(data):
            kind, size = struct.unpack_from(f"{self.order}II", data, place)
            start = place + 8
            if kind >> 16:  # up to four bytes stand where the size would
                kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
                place += 8
            else:
                place = start + size + (-size % 8 if kind != COMPRESSED else 0)
            if start + size > min(place, len(data)):
                raise ValueError("cut short")
            yield kind, data[start : start + size]

    def matrix(self, data: bytes):
        """Of a matrix the class, the shape, the name, and the elements that hold its values."""
        (_, flags), (_, shape), (_, name), *rest = self.elements(data)
        sizes = np.frombuffer(shape, f"{self.order}i4").tolist()
        return self.number(6, flags[:4]) & 0xFF, sizes, name.decode(), rest

    def rows(self, shape: list[int], rest: list) -> list[dict]:
        """The rows of a struct array, whose values stand row after row."""
        (kind, width), (_, names), *values = rest
        width = self.number(kind, width)
        columns = [
            names[start : start + width].rstrip(b"\0").decode()
            for start in range(0, len(names), width)
        ]
        count = np.prod(shape, dtype=object)
        if not columns or len(values) != count * len(columns):
            raise ValueError(f"{count} rows of {len(columns)} columns, but {len(values)} values")
        cells = iter(self.value(data) for _, data in values)
        return [dict(zip(columns, cells, strict=False)) for _ in range(count)]

    def value(self, data: bytes):
        """What a matrix holds: text, a number, or None for anything else."""
        if not data:
            return None
        class_, shape, _, rest = self.matrix(data)
        if len(rest) != 1 or shape[0] > 1:
            return None
        ((kind, values),) = rest
        if class_ == CHAR:
            order = {"<": "-le", ">": "-be"}[self.order] if kind not in (1, 2, 16) else ""
            return values.decode(TEXTS[kind] + order)
        return self.number(kind, values) if shape == [1, 1] and class_ >= 6 else None

    def number(self, kind: int, data: bytes):
        """The only number in an element."""
        return np.frombuffer(data, self.order + NUMBERS[kind]).item()
