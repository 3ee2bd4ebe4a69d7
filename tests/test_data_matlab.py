"""MATLAB's tables, written by SciPy and by hand, come back; damaged ones raise and never crash."""

import io
import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from minialexnet.data.imagenet.matlab import table

KINDS = [(name, "O") for name in ("ID", "WNID", "words", "children", "gloss")]
ROWS = [
    (449, "n01440764", "tench, Tinca tinca", np.zeros((1, 0)), "freshwater dace-like fish"),
    (1.0, "n02119789", "kit fox", np.arange(3.0), ""),
    (70_000, "n00001740", "entité, 実体", np.zeros((2, 2)), "x" * 1000),
]


def saved(rows=ROWS, compressed=False, **others):
    content = io.BytesIO()
    synsets = np.array(rows, dtype=KINDS[: len(rows[0])]).reshape(-1, 1)
    savemat(content, {**others, "synsets": synsets}, do_compression=compressed)
    return content.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_writes_and_reads_is_read(compressed):
    content = saved(compressed=compressed, before=np.arange(9), text="words", cells=[[1], "a"])
    rows = table(content, "synsets")
    theirs = loadmat(io.BytesIO(content), squeeze_me=True)["synsets"]
    assert len(rows) == len(theirs) == 3
    for row, other in zip(rows, theirs, strict=True):
        assert list(row) == [name for name, _ in KINDS]
        for name in ("ID", "WNID", "words", "gloss"):
            assert row[name] == (other[name] if np.size(other[name]) else "")
        assert row["children"] is None


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_numbers_of_every_kind(kind):
    rows = [(np.dtype(kind).type(number),) for number in (0, 1, 100)]
    assert [row["ID"] for row in table(saved(rows), "synsets")] == [0, 1, 100]


def test_a_single_row():
    assert [row["WNID"] for row in table(saved(ROWS[:1]), "synsets")] == ["n01440764"]


# ---------------------------------------------------------------- by hand


def element(order, kind, data):
    padding = 0 if kind == 15 else -len(data) % 8
    return struct.pack(f"{order}II", kind, len(data)) + data + bytes(padding)


def short(order, kind, data):
    """Up to four bytes, which stand where the size would."""
    return struct.pack(f"{order}I", len(data) << 16 | kind) + data.ljust(4, b"\0")


def matrix(order, class_, shape, name, *parts):
    head = element(order, 6, struct.pack(f"{order}II", class_, 0))
    sizes = element(order, 5, struct.pack(f"{order}{len(shape)}i", *shape))
    return element(order, 14, b"".join([head, sizes, element(order, 1, name), *parts]))


def by_hand(order="<", shape=(2, 1), names=b"ID\0\0WNID", text=(16, "utf-8"), values=None):
    kind, codec = text
    if values is None:
        values = [
            value
            for number, wnid in ((449, "n01440764"), (7, "n02119789"))
            for value in (
                matrix(order, 6, (1, 1), b"", short(order, 2, bytes([number & 255])))
                if number < 256
                else matrix(
                    order, 6, (1, 1), b"", element(order, 4, struct.pack(order + "H", 449))
                ),
                matrix(order, 4, (1, 9), b"", element(order, kind, wnid.encode(codec))),
            )
        ]
    width = short(order, 5, struct.pack(f"{order}i", 4))
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1" + {"<": b"IM", ">": b"MI"}[order]
    return head + matrix(order, 2, shape, b"synsets", width, element(order, 1, names), *values)


CODECS = {1: "utf-8", 2: "utf-8", 16: "utf-8", 4: "utf-16", 17: "utf-16", 18: "utf-32"}


@pytest.mark.parametrize("kind", CODECS)
@pytest.mark.parametrize("order", ["<", ">"])
def test_text_of_every_kind_in_both_orders_of_bytes(order, kind):
    codec = CODECS[kind] + ("" if CODECS[kind] == "utf-8" else {"<": "-le", ">": "-be"}[order])
    assert table(by_hand(order, text=(kind, codec)), "synsets") == [
        {"ID": 449, "WNID": "n01440764"},
        {"ID": 7, "WNID": "n02119789"},
    ]


def test_what_is_made_by_hand_is_what_scipy_reads():
    theirs = loadmat(io.BytesIO(by_hand()), squeeze_me=True)["synsets"]
    assert [(int(row["ID"]), str(row["WNID"])) for row in theirs] == [
        (449, "n01440764"),
        (7, "n02119789"),
    ]


WRONG = {
    "nothing": b"",
    "a header alone": by_hand()[:128],
    "another order": by_hand()[:126] + b"XX",
    "another name": by_hand().replace(b"synsets", b"sunsets"),
    "no columns": by_hand(names=b"", values=[]),
    "no columns of many rows": by_hand(names=b"", values=[], shape=(2**30, 2**30)),
    "more rows than there are": by_hand(shape=(3, 1)),
    "fewer rows than there are": by_hand(shape=(1, 1)),
    "rows below nothing": by_hand(shape=(-2, -1), values=[]),
    "a columns' width of nothing": by_hand().replace(b"\5\0\4\0\4\0\0\0", b"\5\0\4\0\0\0\0\0"),
    "a size beyond the end": by_hand()[:132] + b"\xff\xff\xff\x7f" + by_hand()[136:],
    "a cut": by_hand()[:-20],
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_tables_raise(kind):
    with pytest.raises((ValueError, KeyError, struct.error)):
        table(WRONG[kind], "synsets")


def test_a_compressed_bomb_is_not_unpacked():
    bomb = element("<", 15, zlib.compress(bytes(2**26)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="cut short, or too large"):
        table(by_hand()[:128] + bomb, "synsets")
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()


@pytest.mark.parametrize("compressed", [False, True])
def test_a_damaged_file_raises_or_is_another_table(compressed):
    """Some of these end SciPy, and the whole process with it."""
    rng, content, raised = random.Random(0), saved(compressed=compressed), 0
    for _ in range(1000):
        damaged = bytearray(content)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            rows = table(bytes(damaged), "synsets")
        except Exception:
            raised += 1
        else:
            assert all(type(row) is dict for row in rows)
    assert raised > 100
    # What is compressed has a checksum.
    assert not compressed or raised > 850
