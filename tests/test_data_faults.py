"""Damaged and hostile files, full disks: a line that says so, or what would have come anyway."""

import codecs
import errno
import gzip
import json
import os
import random
import resource
import shutil
import struct
import subprocess
import sys
import tarfile
import textwrap
import zlib
from pathlib import Path

import numpy as np
import pytest
import tiny
from PIL import Image
from tiny_imagenet import WNIDS, devkit, drawn, encoded, made
from witness import WITNESS

from minialexnet.__main__ import main
from minialexnet.data import draft, preparation
from minialexnet.data.imagenet import archives, imagenet_source
from minialexnet.data.picture import decoded
from minialexnet.data.preparation import prepare
from minialexnet.data.prepared import demand_intact, prepared
from minialexnet.errors import InputError

pytestmark = pytest.mark.usefixtures("at_once")
SIZE = 8
TRAIN, VALIDATION = drawn(3, 1)


def refusal(do, *given) -> str | None:
    """The line in which something is refused, if it is."""
    try:
        do(*given)
    except InputError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 1000
        return str(error)
    return None


def mutated(content: bytes, rng: random.Random, header=None) -> bytes:
    """Damaged in one of the ways in which files are: never the same as before."""
    content = content or b"\0"
    place = rng.randrange(min(header or len(content), len(content)))
    until = min(place + rng.randint(1, 40), len(content))
    noise = rng.randbytes(rng.randint(1, 8))
    ways = [
        content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :],
        content[:place] + noise + content[place + len(noise) :],
        content[:place] + noise + content[place:],
        content[:place] + content[until:],
        content[:place] + bytes(until - place) + content[until:],
        content[:place],
    ]
    damaged = rng.choice(ways)
    return damaged if damaged != content else content + b"x"


# ---------------------------------------------------------------- pictures


def pictures() -> list[bytes]:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8))
    return [
        *(one.content for one in drawn(8, 1)[0][:8]),
        encoded(image, progressive=True),
        encoded(image, quality=95, subsampling=0, optimize=True),
        encoded(image.convert("CMYK")),
        encoded(image.convert("L")),
        encoded(image, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff broken", dpi=(72, 72), comment=b"?"),
    ]


def decode_a_thousand() -> None:
    """Of damaged pictures: for a process of its own, whose memory is limited."""
    rng, kept = random.Random(0), 0
    resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, resource.RLIM_INFINITY))
    Image.init()
    originals = pictures()
    for content in originals:
        decoded(content, "x")
    for number in range(1000):
        original = originals[number % len(originals)]
        # Half of the damage is done to the header.
        content = mutated(original, rng, 700 if number % 2 else None)
        with WITNESS:
            try:
                image, kind = decoded(content, "x.JPEG")
            except InputError as error:
                assert str(error).startswith("x.JPEG: ")
                assert "\n" not in str(error)
                continue
            finally:
                assert WITNESS.seen == []
        assert image.dtype == np.uint8
        assert image.ndim == 3 and image.shape[2] == 3 and image.size
        assert kind.split()[0] == "JPEG"
        kept += 1
    # What was damaged in the middle still gives some picture.
    assert 200 < kept < 900


def test_a_thousand_damaged_pictures_are_pictures_or_refused():
    code = "import test_data_faults as faults; faults.decode_a_thousand()"
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def large_png(side: int) -> bytes:
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(10**5))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def large_jpeg(side: int) -> bytes:
    content = encoded(Image.new("RGB", (40, 40)))
    frame = content.index(b"\xff\xc0") + 5
    return content[:frame] + struct.pack(">HH", side, side) + content[frame + 4 :]


BOMBS = {"png": large_png(50_000), "jpeg": large_jpeg(65_500)}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_named_and_may_be_left_out(tmp_path, kind):
    src, out = made(tmp_path / "src", "folders", TRAIN, VALIDATION), tmp_path / "out"
    path = next((src / "train" / WNIDS[2]).iterdir())
    path.write_bytes(BOMBS[kind])
    source = imagenet_source(src)
    said = refusal(prepare, source, out, SIZE, 1)
    assert said.startswith(f"{path}: expected at most 89478485 pixels: ")
    assert len(prepare(source, out, SIZE, 1, skip_broken=True).train.labels) == 17
    assert json.loads((out / "report.json").read_text())["broken"][0].startswith(f"{path}: ")


# ---------------------------------------------------------------- prepared folders


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """An ImageNet of 18 + 6 pictures in archives; not to be written to."""
    return made(tmp_path_factory.mktemp("copy") / "src", "archives", TRAIN, VALIDATION)


@pytest.fixture(scope="module")
def whole(copy, tmp_path_factory):
    """What becomes of it; not to be written to."""
    folder = tmp_path_factory.mktemp("whole") / "out"
    prepare(imagenet_source(copy), folder, SIZE, 1)
    return folder


@pytest.fixture(autouse=True, scope="module")
def warm(whole, tmp_path_factory):
    """What Python imports at the first use, and at the first error, is imported."""
    for name in (
        "cp437",
        "utf-8-sig",
        *(f"utf-{n}{end}" for n in (16, 32) for end in ("", "-le", "-be")),
    ):
        codecs.lookup(name)
    folder = shutil.copytree(whole, tmp_path_factory.mktemp("warm") / "set")
    demand_intact(folder)
    (folder / "train_images.npy").write_bytes(b"\x93NUMPY\1\0\6\0{'a':\n")
    (folder / "meta.json").write_bytes(b"\xff{")
    assert refusal(prepared, folder)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def everything(folder):
    """All that a data set says and shows."""
    data = prepared(folder)
    colours = data.colours
    arrays = (data.train.images, data.train.labels, data.test.images, data.test.labels, data.mean)
    return (
        [(array.shape, array.dtype, array.tobytes()) for array in arrays],
        (colours.deviations.tolist(), colours.directions.tolist()) if colours else None,
        (data.classes, data.source),
    )


def test_damaged_data_sets_are_refused_or_say_the_same(whole, tmp_path):
    folder, rng = shutil.copytree(whole, tmp_path / "set"), random.Random(0)
    expected, refused = everything(folder), 0
    names = sorted(contents(folder))
    for number in range(304):
        path = folder / names[number % len(names)]
        before = path.read_bytes()
        path.write_bytes(mutated(before, rng, 128 if number % 3 == 0 else None))
        with WITNESS:
            said = refusal(prepared, folder) or refusal(demand_intact, folder)
        assert WITNESS.seen == []
        if said is None:
            assert everything(folder) == expected, (number, path.name)
        else:
            assert str(folder) in said
        refused += said is not None
        path.write_bytes(before)
    # One file in eight, the report, is nothing that a data set says.
    assert 220 < refused < 304


# ---------------------------------------------------------------- data sets in the making


class Stopped(BaseException):
    """As abrupt as Ctrl-C."""


def begun(copy, out, count, patch) -> Path:
    """A preparation that was stopped after so many pictures."""
    left = iter(range(count))

    def stopping(content, name):
        if next(left, None) is None:
            raise Stopped
        return decoded(content, name)

    with patch.context() as here:
        here.setattr(preparation, "decoded", stopping)
        with pytest.raises(Stopped):
            prepare(imagenet_source(copy), out, SIZE, 1)
    return out.with_name(f"{out.name}.unfinished")


@pytest.mark.parametrize("name", ["ledger.npz", "report.json"])
def test_damaged_notes_are_refused_or_end_in_the_same(copy, whole, tmp_path, monkeypatch, name):
    monkeypatch.setattr(archives, "JOB", 4)
    rng, source, refused, said = random.Random(0), imagenet_source(copy), 0, []
    half = begun(copy, tmp_path / "half", 13, monkeypatch)
    notes = (half / name).read_bytes()
    for number in range(50):
        out = tmp_path / str(number)
        shutil.copytree(half, unfinished := tmp_path / f"{number}.unfinished")
        (unfinished / name).write_bytes(mutated(notes, rng))
        before = tiny.contents(unfinished)
        with WITNESS:
            line = refusal(lambda to: prepare(source, to, SIZE, 1, say=said.append), out)
        assert {event for event, *_ in WITNESS.seen} <= {"open", "os.rename", "os.remove"}
        assert all(where.startswith(str(tmp_path)) for _, where, *_ in WITNESS.seen)
        if line is None:
            assert contents(out) == contents(whole)
            shutil.rmtree(out)
        else:
            assert str(unfinished) in line
            assert tiny.contents(unfinished) == before
            shutil.rmtree(unfinished)
        refused += line is not None
    # A damaged ledger costs time, a damaged report is refused.
    assert refused == 0 if name == "ledger.npz" else refused > 35
    assert len(said) > 35 if name == "ledger.npz" else not said


def test_the_rest_of_a_report_that_was_being_written_is_not_in_the_way(copy, whole, tmp_path):
    (tmp_path / "out.unfinished").mkdir()
    (tmp_path / "out.unfinished" / ".report.json.4711").write_bytes(b"{")
    (tmp_path / "out.unfinished" / "train_images.npy").write_bytes(b"")
    prepare(imagenet_source(copy), tmp_path / "out", SIZE, 1)
    assert contents(tmp_path / "out") == contents(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def stopped_at_the_end(source, out, patch, **options):
    """All pictures are in their places, the broken ones are gone, and nothing else is there yet."""

    def stop(*given):
        raise Stopped

    with patch.context() as here:
        here.setattr(draft, "complete", stop)
        with pytest.raises(Stopped):
            prepare(source, out, SIZE, 1, **options)
    return out.with_name(f"{out.name}.unfinished")


@pytest.mark.parametrize("broken", [[0], [17], [3, 17], [13, 16, 17]])
def test_a_ledger_that_is_lost_at_the_end_costs_nothing_but_time(
    copy, whole, tmp_path, monkeypatch, broken
):
    """Also where the pictures that had been left out are whole by now."""
    names = sorted(one.name for one in TRAIN)
    parts = [
        type(one)(one.label, one.name, b"" if names.index(one.name) in broken else one.content)
        for one in TRAIN
    ]
    source = imagenet_source(made(tmp_path / "src", "archives", parts, VALIDATION))
    out, straight = tmp_path / "out", tmp_path / "straight"
    prepare(source, straight, SIZE, 1, skip_broken=True)
    unfinished = stopped_at_the_end(source, out, monkeypatch, skip_broken=True)
    (unfinished / "ledger.npz").unlink()
    shutil.copytree(unfinished, tmp_path / "mended.unfinished")
    prepare(source, out, SIZE, 1, skip_broken=True)
    assert contents(out) == contents(straight)
    prepare(imagenet_source(copy), tmp_path / "mended", SIZE, 1)
    assert contents(tmp_path / "mended") == contents(whole)


def test_pictures_that_were_cut_short_are_refused(copy, tmp_path, monkeypatch):
    source, out = imagenet_source(copy), tmp_path / "out"
    unfinished = stopped_at_the_end(source, out, monkeypatch)
    path = unfinished / "test_images.npy"
    path.write_bytes(path.read_bytes()[:-1])
    assert refusal(prepare, source, out, SIZE, 1) == (
        f"{path} was cut short: remove {unfinished} to begin anew"
    )
    path.unlink()
    with pytest.raises(FileNotFoundError) as caught:
        prepare(source, out, SIZE, 1)
    assert caught.value.filename == str(path)
    assert not out.exists()


# ---------------------------------------------------------------- archives


def entry(name, content=b"", kind=tarfile.REGTYPE, size=None, link="", pax=None) -> bytes:
    """One entry of an archive, its checksum right, whatever it says."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    member.size = len(content) if size is None else size
    if pax is not None:
        member.pax_headers = pax
    made_up = tarfile.PAX_FORMAT if pax is not None else tarfile.GNU_FORMAT
    padding = -len(content) % tarfile.BLOCKSIZE
    return member.tobuf(made_up, "utf-8", "surrogateescape") + content + bytes(padding)


END = bytes(2 * tarfile.BLOCKSIZE)
PICTURE = TRAIN[0].content


def of_class(label):
    return [entry(one.name, one.content) for one in TRAIN if one.label == label]


def outer(*more, classes=range(6)):
    """The training archive of these classes, and more entries."""
    inner = [b"".join(of_class(label)) + END for label in classes]
    parts = [entry(f"{WNIDS[m]}.tar", data) for m, data in zip(classes, inner, strict=True)]
    return b"".join([*parts, *more]) + END


def with_inner(*entries):
    """The training archive with more entries in the archive of the first class."""
    inner = b"".join([*of_class(0), *entries]) + END
    return outer(entry(f"{WNIDS[0]}.tar", inner), classes=range(1, 6))


def validation(*more):
    return b"".join([*(entry(one.name, one.content) for one in VALIDATION), *more]) + END


def kit(*more):
    """The development kit with more entries before its own."""
    files = [entry(f"kit/{name}", text) for name, text in devkit(VALIDATION).items()]
    return gzip.compress(b"".join([*more, *files]) + END)


PLACES = {
    "the archive of archives": ("train", outer, f"{WNIDS[0]}.tar"),
    "the archive of a class": ("train", with_inner, f"{WNIDS[0]}_9.JPEG"),
    "the validation archive": ("val", validation, "ILSVRC2012_val_00000009.JPEG"),
}
STRANGERS = {
    "a path upwards": lambda name: entry(f"../{name}", PICTURE),
    "a path further upwards": lambda name: entry(f"x/../../../{name}", PICTURE),
    "an absolute path": lambda name: entry(f"/tmp/{name}", PICTURE),
    "a folder before the name": lambda name: entry(f"x/{name}", PICTURE),
    "a symbolic link": lambda name: entry(name, kind=tarfile.SYMTYPE, link="/etc/passwd"),
    "a hard link": lambda name: entry(name, kind=tarfile.LNKTYPE, link=f"{WNIDS[1]}.tar"),
    "a device": lambda name: entry(name, kind=tarfile.CHRTYPE),
    "a disk": lambda name: entry(name, kind=tarfile.BLKTYPE),
    "a pipe": lambda name: entry(name, kind=tarfile.FIFOTYPE),
    "a file of another name": lambda name: entry("readme.txt", b"about"),
    "a file of a long name": lambda name: entry("x" * 10**5 + name, PICTURE),
    "a name of two lines": lambda name: entry(f"{name[:-4]}\n{name[-4:]}", PICTURE),
    "a name of no alphabet": lambda name: entry(f"{name[:-5]}\udcff{name[-5:]}", PICTURE),
    "a name of another alphabet": lambda name: entry(f"{name[:-5]}\u0664{name[-5:]}", PICTURE),
    "an empty name": lambda name: entry("", PICTURE),
    "a file with holes": lambda name: entry(
        name, PICTURE, pax={"GNU.sparse.map": "0,1", "GNU.sparse.size": "9"}
    ),
    "a size beyond the end": lambda name: entry(name, PICTURE, size=10**6),
    "a size beyond every disk": lambda name: entry(name, PICTURE, size=2**70),
    "a size below nothing": lambda name: entry(name, PICTURE, size=-1024),
    "a size below nothing, elsewhere": lambda name: entry(name, PICTURE, pax={"size": "-2048"}),
    "a size in words": lambda name: entry(name, PICTURE, pax={"size": "many"}),
    "a note of a broken length": lambda name: entry("x", b"0 path=y\n", tarfile.XHDTYPE),
    "a note without an end": lambda name: entry("x", b"99 path=y", tarfile.XHDTYPE),
    "a long name below nothing": lambda name: entry("x", kind=tarfile.GNUTYPE_LONGNAME, size=-512),
    "long names without an end": lambda name: (
        entry("x", b"y", tarfile.GNUTYPE_LONGNAME) * 3000 + entry(name, PICTURE)
    ),
    "zeros, and more behind them": lambda name: bytes(10240) + entry(name, PICTURE),
    "garbage": lambda name: b"garbage" * 100,
}


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("stranger", STRANGERS)
def test_what_no_archive_of_pictures_holds_is_refused(copy, tmp_path, where, stranger):
    part, build, name = PLACES[where]
    src = shutil.copytree(copy, tmp_path / "src")
    (src / f"ILSVRC2012_img_{part}.tar").write_bytes(build(STRANGERS[stranger](name)))
    before = tiny.contents(tmp_path)
    with WITNESS:
        said = refusal(imagenet_source, src)
    assert WITNESS.seen == []
    assert said.startswith(f"{src}/ILSVRC2012_img_{part}.tar: ")
    assert tiny.contents(tmp_path) == before


def test_nothing_strange_is_nothing_strange(copy, tmp_path):
    """The archives above are refused for what was put into them alone."""
    expected = described(imagenet_source(copy))
    for part, build, _ in PLACES.values():
        src = shutil.copytree(copy, tmp_path / f"{part}{build.__name__}")
        (src / f"ILSVRC2012_img_{part}.tar").write_bytes(build())
        assert described(imagenet_source(src)) == expected


def test_a_picture_of_another_class_is_refused(copy, tmp_path):
    src = shutil.copytree(copy, tmp_path / "src")
    (src / "ILSVRC2012_img_train.tar").write_bytes(with_inner(entry(f"{WNIDS[1]}_9.JPEG", b"x")))
    assert refusal(imagenet_source, src) == (
        f"{src}/ILSVRC2012_img_train.tar: {WNIDS[0]}.tar: expected pictures, such as "
        f"{WNIDS[0]}_...JPEG, got '{WNIDS[1]}_9.JPEG'"
    )


@pytest.mark.parametrize("name", ["data/meta.mat", "data/ILSVRC2012_validation_ground_truth.txt"])
@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_kit_are_not_followed(copy, tmp_path, name, kind):
    src = shutil.copytree(copy, tmp_path / "src")
    texts = {f"kit/{one}": text for one, text in devkit(VALIDATION).items() if one != name}
    rest = b"".join(entry(*one) for one in texts.items())
    link = str(tmp_path / "secret")
    (tmp_path / "secret").write_bytes(devkit(VALIDATION)[name])
    path = src / "ILSVRC2012_devkit_t12.tar.gz"
    path.write_bytes(gzip.compress(entry(f"kit/{name}", kind=kind, link=link) + rest + END))
    assert f"{path}: expected the development kit's " in refusal(imagenet_source, src)


def test_a_kit_of_gigabytes_is_not_read(copy, tmp_path):
    src = shutil.copytree(copy, tmp_path / "src")
    path = src / "ILSVRC2012_devkit_t12.tar.gz"
    path.write_bytes(kit(entry("old/meta.mat", size=2**36)))
    assert refusal(imagenet_source, src) == f"{path}: meta.mat has 68,719,476,736 bytes"


def described(source):
    """All that is to be prepared."""
    read = [
        list(zip(places.tolist(), [content for _, content in reader], strict=True))
        for part in (source.train, source.test)
        for places, reader in part.readers()
    ]
    return source.fingerprint(), source.classes, read


ARCHIVES = [
    *("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", "ILSVRC2012_devkit_t12.tar.gz"),
]


@pytest.fixture
def damaged(copy, tmp_path):
    """Reads a copy one of whose files has another content: refused, or the same as ever."""
    src, expected = shutil.copytree(copy, tmp_path / "src"), described(imagenet_source(copy))

    def damaged(name, content):
        before = (src / name).read_bytes()
        (src / name).write_bytes(content)
        with WITNESS:
            said = refusal(imagenet_source, src)
        assert WITNESS.seen == []
        if said is None:
            assert described(imagenet_source(src)) == expected
        else:
            assert said.startswith(f"{src / name}: ")
        (src / name).write_bytes(before)
        return said is not None

    return damaged


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_was_cut_short_is_refused(copy, damaged, name):
    content = (copy / name).read_bytes()
    # Only the zeros at the end may be missing.
    end = len(content) - 10240
    for place in np.linspace(0, end, 40).astype(int).tolist():
        assert damaged(name, content[:place])
    blocks = range(0, end, tarfile.BLOCKSIZE)
    for place in random.Random(0).sample(blocks, min(40, len(blocks))):
        assert damaged(name, content[:place]), "where an entry ends"


def headers(content: bytes) -> list[int]:
    """Where entries begin in an archive, and in the archives in it."""
    found, place = [], 0
    while content[place : place + 8].strip(b"\0"):
        found.append(place)
        member = tarfile.TarInfo.frombuf(content[place : place + 512], "utf-8", "strict")
        first, place = place + 512, place + 512 + -(-member.size // 512) * 512
        if member.name.endswith(".tar"):
            found += [first + one for one in headers(content[first:place])]
    return found


@pytest.mark.parametrize("name", ARCHIVES[:2])
def test_entries_whose_heads_are_garbled_are_refused_or_change_nothing(copy, damaged, name):
    content, rng, refused = (copy / name).read_bytes(), random.Random(0), 0
    heads = headers(content)
    assert len(heads) == (6 + 18 if "train" in name else 6)
    for _ in range(100):
        place = rng.choice(heads) + rng.randrange(512)
        change = rng.choice([bytes([content[place] ^ 1 << rng.randrange(8)]), rng.randbytes(4)])
        refused += damaged(name, content[:place] + change + content[place + len(change) :])
    assert refused > 90


@pytest.mark.parametrize("name", ARCHIVES[:2])
def test_an_entry_that_was_wiped_out_is_missed(copy, damaged, name):
    content = (copy / name).read_bytes()
    for place in headers(content)[1:]:
        for length in (512, 1024):
            assert damaged(name, content[:place] + bytes(length) + content[place + length :])


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_was_damaged_anywhere_never_gives_fewer_pictures(copy, tmp_path, name):
    """What a picture shows may change, and be found out when it is decoded."""
    src, rng = shutil.copytree(copy, tmp_path / "src"), random.Random(1)
    expected, content = imagenet_source(copy).fingerprint(), (copy / name).read_bytes()
    for _ in range(100):
        (src / name).write_bytes(mutated(content, rng))
        with WITNESS:
            said = refusal(imagenet_source, src)
        assert WITNESS.seen == []
        if said is None:
            assert imagenet_source(src).fingerprint() == expected


def test_what_a_label_file_says_raises_nothing_else(tmp_path):
    """Also inside the archive of a kit, where a damaged meta.mat meets its parser."""
    src, rng = made(tmp_path / "src", "devkit", TRAIN, VALIDATION), random.Random(0)
    refused = 0
    for path in sorted((src / "ILSVRC2012_devkit_t12" / "data").iterdir()):
        before = path.read_bytes()
        for _ in range(150):
            path.write_bytes(mutated(before, rng))
            with WITNESS:
                refused += refusal(imagenet_source, src) is not None
            assert WITNESS.seen == []
        path.write_bytes(before)
    assert refused > 150


def test_what_a_table_says_raises_nothing_else(tmp_path):
    src, rng = made(tmp_path / "src", "kaggle", TRAIN, VALIDATION), random.Random(0)
    path = src / "LOC_val_solution.csv"
    before, refused = path.read_bytes(), 0
    for _ in range(100):
        path.write_bytes(mutated(before, rng))
        refused += refusal(imagenet_source, src) is not None
    assert refused > 40


@pytest.mark.parametrize("name", ["train-00000-of-00002", "validation-00000-of-00001"])
def test_a_damaged_parquet_file_raises_nothing_else(tmp_path, name):
    pytest.importorskip("pyarrow.parquet")
    src, rng = made(tmp_path / "src", "parquet", TRAIN, VALIDATION), random.Random(0)
    path = src / "data" / f"{name}.parquet"
    before, refused = path.read_bytes(), 0
    footer = len(before) - 8 - int.from_bytes(before[-8:-4], "little")
    for number in range(50):
        head, tail = (before[:footer], before[footer:])
        damaged_ = head + mutated(tail, rng) if number % 2 else mutated(before, rng)
        path.write_bytes(damaged_)
        out = tmp_path / str(number)
        said = refusal(lambda to: prepare(imagenet_source(src), to, SIZE, 1, skip_broken=True), out)
        if said is None:
            assert demand_intact(out) + len(
                json.loads((out / "report.json").read_text())["broken"]
            ) == len(TRAIN) + len(VALIDATION)
        refused += said is not None
    assert refused > 25


# ---------------------------------------------------------------- disks


def called(capsys, *words):
    """The exit code of `prepare imagenet`, and what was printed to stderr."""
    capsys.readouterr()
    code = main(["prepare", "imagenet", *map(str, words), "--processes", "1"])
    return code, capsys.readouterr().err


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a disk")
    words = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if subprocess.run(words, capture_output=True).returncode:
        pytest.skip("mount does not work here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_that_is_too_small_is_refused_first(capsys, copy, small_disk):
    # 24 pictures of 192 x 192 pixels.
    code, said = called(capsys, copy, small_disk / "out", "--size", 192)
    assert code == 2
    assert said == (
        f"minialexnet: error: {small_disk / 'out'} needs 2.7 MB, there are 2.1 MB free\n"
    )
    assert not any(small_disk.iterdir())
    assert refusal(prepare, imagenet_source(copy), small_disk / "out", 192, 1) == (
        f"{small_disk / 'out'} needs 0.00265 GB: No space left on device"
    )
    assert not any(small_disk.iterdir())


def test_a_small_disk_will_do_for_little(capsys, copy, small_disk, whole):
    assert called(capsys, copy, small_disk / "out", "--size", SIZE) == (0, "")
    assert contents(small_disk / "out") == contents(whole)
    assert called(capsys, copy, small_disk / "large", "--size", 170)[0] == 2


def test_a_disk_itself_is_no_place_for_a_data_set(capsys, copy, small_disk):
    code, said = called(capsys, copy, small_disk, "--size", SIZE)
    assert code == 2
    assert said == (
        f"minialexnet: error: {small_disk} is where a disk is mounted; choose a folder in it\n"
    )


# The largest size of a file that the process may write stands in for the end of the disk.
LIMITED = textwrap.dedent(
    """
    import resource, signal, sys
    from minialexnet.__main__ import main
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
    sys.exit(main(sys.argv[2:]))
    """
)


@pytest.mark.parametrize("room", [23_000, 25_000])
def test_a_disk_that_fills_up_leaves_what_can_go_on(tmp_path, room):
    src, out = made(tmp_path / "src", "archives", *drawn(1, 1)), tmp_path / "out"
    words = ["prepare", "imagenet", src, out, "--size", 32, "--processes", 1]
    # The pictures, twice six of 3 kB, find room; the ledger has 25 kB of sums.
    limited = [sys.executable, "-c", LIMITED, str(room), *map(str, words)]
    ended = subprocess.run(limited, capture_output=True, text=True, timeout=60)
    ledger = tmp_path / "out.unfinished" / "ledger.npz"
    assert ended.returncode == 2
    assert ended.stderr == f"minialexnet: error: {ledger}: File too large\n"
    names = sorted(path.name for path in ledger.parent.iterdir())
    assert names == ["report.json", "test_images.npy", "train_images.npy"]
    prepare(imagenet_source(src), out, 32, 1)
    prepare(imagenet_source(src), tmp_path / "straight", 32, 1)
    assert contents(out) == contents(tmp_path / "straight")
    assert not ledger.parent.exists()


def test_a_name_that_cannot_be_given_is_given_later(capsys, copy, whole, tmp_path, monkeypatch):
    words, unfinished = (copy, tmp_path / "out", "--size", SIZE), tmp_path / "out.unfinished"

    def broken(self, target):
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(self))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", broken)
        assert called(capsys, *words) == (
            2,
            f"minialexnet: error: {unfinished}: Input/output error\n",
        )
    assert [path.name for path in tmp_path.iterdir()] == ["out.unfinished"]
    assert len(contents(unfinished)) == 9
    monkeypatch.setattr(preparation, "decoded", None)
    monkeypatch.setattr(preparation, "estimate", lambda *given: preparation.Estimate(0, 0, 0))
    assert called(capsys, *words) == (0, "")
    assert contents(tmp_path / "out") == contents(whole)
