"""Protocol buffers, the format that ONNX files are in: just enough of it to write one.

A message is a row of fields. Each begins with a key, its number times 8 plus how it is written:

====  ===================  ===========================================================
0     integers             a varint: 7 bits a byte, the lowest first, and the top bit
                           of a byte says that another follows
2     bytes, text,         their length as a varint, then they themselves
      messages in messages
5     floats               4 bytes, little-endian
====  ===================  ===========================================================

https://protobuf.dev/programming-guides/encoding
"""

import struct
from collections.abc import Sequence

# What a field may hold; a message is a list of fields, (number, value).
Value = int | float | str | bytes | memoryview | Sequence
Fields = Sequence[tuple[int, Value]]

# Lengths are 32-bit numbers with a sign in most readers, and ONNX's refuse longer messages.
LIMIT = 2**31 - 1


def encoded(fields: Fields) -> list[bytes | memoryview]:
    """A message in pieces, to be written one after the other.

    Parameters
    ----------
    fields : (number, value) in the order to be written; a list as a value is a message inside, and
        a number that comes more than once is a repeated field

    Returns
    -------
    pieces; a memoryview is handed on as it is, so that weights are not copied
    """
    pieces = []
    for number, value in fields:
        match value:
            case int():
                pieces.append(_varint(8 * number) + _varint(value))
            case float():
                pieces.append(_varint(8 * number + 5) + struct.pack("<f", value))
            case _:
                inside = _inside(value)
                pieces += [_varint(8 * number + 2) + _varint(size(inside)), *inside]
    return pieces


def size(pieces: Sequence[bytes | memoryview]) -> int:
    """How many bytes the pieces are."""
    return sum(map(len, pieces))


def _inside(value) -> list[bytes | memoryview]:
    match value:
        case str():
            return [value.encode()]
        case bytes() | memoryview():
            return [value]
    return encoded(value)


def _varint(number: int) -> bytes:
    # Below zero it is written as if it had 64 bits and no sign.
    number %= 2**64
    low, rest = [], number
    while rest > 127:
        low.append(rest % 128 + 128)
        rest //= 128
    return bytes([*low, rest])
