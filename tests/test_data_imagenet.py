"""Five copies of one ImageNet become the same data set, or it is said in a line why not."""

import csv
import dataclasses
import io
import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tiny
import tiny_imagenet
from PIL import Image, ImageOps
from scipy.io import savemat
from tiny_imagenet import CLASSES, LAYOUTS, WNIDS, archive, devkit, drawn

from minialexnet.__main__ import main
from minialexnet.data import preparation
from minialexnet.data.draft import moved
from minialexnet.data.imagenet import archives, imagenet_source
from minialexnet.data.imagenet.names import known_words, named
from minialexnet.data.picture import decoded
from minialexnet.data.preparation import prepare
from minialexnet.data.prepared import demand_intact, prepared
from minialexnet.files import alone

pytestmark = pytest.mark.usefixtures("at_once")
TRAIN, VALIDATION = drawn()
# In the order in which they are to stand on the disk.
IN_ORDER = (
    sorted(TRAIN, key=lambda d: (WNIDS[d.label], d.name)),
    sorted(VALIDATION, key=lambda d: d.name),
)
SIZE = 16
KIT = "ILSVRC2012_devkit_t12"
TRUTH = f"{KIT}/data/ILSVRC2012_validation_ground_truth.txt"
META = f"{KIT}/data/meta.mat"


def made(folder, layout, train=TRAIN, validation=VALIDATION):
    """The pictures in a layout, if there is what writes it."""
    if layout == "parquet":
        pytest.importorskip("pyarrow.parquet")
    return tiny_imagenet.made(folder, layout, train, validation)


class Kept(dict):
    """What a function makes of a key, made once."""

    def __init__(self, make):
        self.make = make

    def __missing__(self, key):
        self[key] = self.make(key)
        return self[key]


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Each of LAYOUTS; not to be written to."""
    folder = tmp_path_factory.mktemp("imagenet")
    return Kept(lambda layout: made(folder / layout, layout))


@pytest.fixture(scope="module")
def sets(copies, tmp_path_factory):
    """The folders that become of them; not to be written to."""
    folder = tmp_path_factory.mktemp("sets")

    def prepared_(layout):
        prepare(imagenet_source(copies[layout]), folder / layout, SIZE, 1)
        return folder / layout

    return Kept(prepared_)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def report(folder):
    return json.loads((folder / "report.json").read_text())


def called(capsys, *words):
    """The exit code of `prepare imagenet`, and what was printed to stdout and stderr."""
    capsys.readouterr()
    options = ["--size", SIZE, "--processes", 1]
    code = main(list(map(str, ["prepare", "imagenet", *words, *options])))
    return code, *capsys.readouterr()


def square(picture: Image.Image) -> np.ndarray:
    """The shorter side scaled and the centre cut out, by Pillow alone."""
    side = min(picture.size)
    left, top = ((length - side) // 2 for length in picture.size)
    central = picture.convert("RGB").crop((left, top, left + side, top + side))
    return np.array(central.resize((SIZE, SIZE), Image.Resampling.BILINEAR))


# ---------------------------------------------------------------- what comes out


@pytest.mark.parametrize("layout", LAYOUTS[1:])
def test_every_copy_becomes_the_same_files(sets, layout):
    assert len(files(sets[layout])) == 8
    assert files(sets[layout]) == files(sets[LAYOUTS[0]])


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_every_picture_is_at_its_place_with_its_label(sets):
    data = prepared(sets["archives"])
    for split, pictures in zip((data.train, data.test), IN_ORDER, strict=True):
        assert split.labels.tolist() == [one.label for one in pictures]
        for image, one in zip(split.images, pictures, strict=True):
            assert np.array_equal(image, square(Image.open(io.BytesIO(one.content)))), one.name
    assert np.array_equal(data.mean, data.train.images.mean(axis=0).astype(np.float32))
    assert demand_intact(sets["archives"]) == 96


def test_classes_are_numbered_in_the_order_of_their_ids(sets):
    data = prepared(sets["archives"])
    assert data.classes == tuple(f"{wnid} {words}" for wnid, _, words in CLASSES)
    assert list(data.classes) == sorted(data.classes)
    assert data.source == "ImageNet, ILSVRC-2012"


def test_the_kits_numbers_would_show():
    """No class has the same place in the kit's order, so that mixed-up labels fail every test."""
    in_the_kit = sorted(range(6), key=lambda m: CLASSES[m][1])
    assert all(in_the_kit[m] != m for m in range(6))
    assert not any(number == m + 1 for m, (_, number, _) in enumerate(CLASSES))


def test_no_two_orders_are_alike():
    """Neither the files' order nor that of the labels is the one they are to have."""
    assert IN_ORDER[0] != TRAIN
    labels = [one.label for one in VALIDATION]
    assert labels != sorted(labels)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pictures_are_in_the_order_of_their_names(copies, layout):
    source = imagenet_source(copies[layout])
    for part, pictures in zip((source.train, source.test), IN_ORDER, strict=True):
        assert part.names.tolist() == [one.name.encode() for one in pictures]
        assert part.labels.tolist() == [one.label for one in pictures]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_readers_give_every_picture_once_and_whole(copies, layout):
    source = imagenet_source(copies[layout])
    for part, pictures in zip((source.train, source.test), IN_ORDER, strict=True):
        read = {}
        for places, reader in part.readers():
            for place, (name, content) in zip(places.tolist(), reader, strict=True):
                assert pictures[place].name in name
                read[place] = content
        assert [read[n] for n in range(len(read))] == [one.content for one in pictures]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_was_found_is_said(copies, layout):
    *where, count = imagenet_source(copies[layout]).found
    assert count == (
        "72 + 24 pictures of 6 classes: not the whole ILSVRC-2012, which has "
        "1,281,167 + 50,000 of 1,000"
    )
    said = "\n".join(where).replace(f"{copies[layout]}/", "")
    assert (
        said
        == {
            "archives": "ILSVRC2012_img_train.tar: training pictures\n"
            "ILSVRC2012_img_val.tar: validation pictures\n"
            "ILSVRC2012_devkit_t12.tar.gz: what they show",
            "folders": "train: training pictures\nval: validation pictures",
            "devkit": "train: training pictures\nval: validation pictures\n"
            "ILSVRC2012_devkit_t12: what they show",
            "kaggle": "ILSVRC/Data/CLS-LOC/train: training pictures\n"
            "ILSVRC/Data/CLS-LOC/val: validation pictures\nLOC_val_solution.csv: what they show",
            "parquet": "data: 2 + 1 parquet files",
        }[layout]
    )


def test_the_whole_of_it_is_recognised():
    whole = (1000, 1_281_167, 50_000)
    from minialexnet.data.imagenet import _compared

    assert _compared(whole, known_words()) == (
        "1,281,167 + 50,000 pictures of 1,000 classes: all of ILSVRC-2012"
    )
    assert "not the whole" in _compared((1000, 1_281_166, 50_000), known_words())
    assert "not the whole" in _compared(whole, reversed(known_words()))


@pytest.mark.parametrize("folder", ["", "ILSVRC/Data/CLS-LOC", "Data/CLS-LOC", "CLS-LOC"])
def test_kaggles_folders_may_be_moved_up(copies, sets, tmp_path, folder):
    src = tmp_path / "src"
    shutil.copytree(copies["kaggle"] / "ILSVRC" / "Data" / "CLS-LOC", src / folder)
    shutil.copy(copies["kaggle"] / "LOC_val_solution.csv", src)
    prepare(imagenet_source(src), tmp_path / "out", SIZE, 1)
    assert files(tmp_path / "out") == files(sets["kaggle"])


@pytest.mark.parametrize("archived", [False, True])
def test_labels_may_be_there_twice_where_they_agree(copies, tmp_path, archived):
    src = shutil.copytree(copies["kaggle"], tmp_path / "src")
    kit = copies["archives"] / f"{KIT}.tar.gz" if archived else copies["devkit"] / KIT
    (shutil.copy if archived else shutil.copytree)(kit, src / kit.name)
    (src / f"{KIT}.tar.gz.md5").write_text("0123")
    source = imagenet_source(src)
    assert source.found[2] == f"{src / kit.name} and {src / 'LOC_val_solution.csv'}: what they show"
    assert source.test.labels.tolist() == [one.label for one in VALIDATION]


def test_archives_may_have_been_made_anew(tmp_path, copies, sets):
    """With ./ before the names, and entries for folders."""
    src = shutil.copytree(copies["archives"], tmp_path / "src")
    inner = {
        f"./{wnid}.tar": archive([(f"./{d.name}", d.content) for d in TRAIN if d.label == label])
        for label, wnid in enumerate(WNIDS)
    }
    for name, parts in (
        ("train", inner.items()),
        ("val", [(f"./{d.name}", d.content) for d in VALIDATION]),
    ):
        (src / f"ILSVRC2012_img_{name}.tar").write_bytes(with_a_folder(parts))
    prepare(imagenet_source(src), tmp_path / "out", SIZE, 1)
    assert files(tmp_path / "out") == files(sets["archives"])


def with_a_folder(parts):
    import tarfile

    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        folder = tarfile.TarInfo("./")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, data in parts:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return content.getvalue()


def test_parquet_names_may_lack_the_class(copies, sets, tmp_path):
    src = parquet(copies, tmp_path, path=lambda name: name.replace(f"_{name[:9]}.JPEG", ".JPEG"))
    rewrite(src / "data" / "validation-00000-of-00001.parquet", path=lambda name: name[:23])
    prepare(imagenet_source(src), tmp_path / "out", SIZE, 1)
    assert files(tmp_path / "out") == files(sets["parquet"])


# ---------------------------------------------------------------- odd pictures


def test_the_kinds_of_pictures_are_reported(sets):
    # Every class has one of each odd kind, and so have the validation pictures.
    kinds = {"JPEG CMYK": 7, "JPEG L": 7, "JPEG RGB": 75, "PNG RGBA": 7}
    assert report(sets["archives"])["kinds"] == kinds
    assert report(sets["archives"])["broken"] == []


def odd(number):
    """The pictures of one of the odd kinds of `tiny_imagenet`, and where each stands."""
    return [
        (place, one)
        for place, one in enumerate(IN_ORDER[0])
        if int(one.name.split("_")[1][-7:-5]) == number
    ]


def test_grey_pictures_are_grey(sets):
    images = prepared(sets["archives"]).train.images
    for place, _ in odd(5):
        assert (images[place] == images[place][..., :1]).all()
        assert images[place].std() > 5


def test_pictures_for_print_have_their_colours(sets):
    images = prepared(sets["archives"]).train.images
    for place, one in odd(3):
        with Image.open(io.BytesIO(one.content)) as picture:
            assert picture.mode == "CMYK"
        drawn_with = np.random.default_rng(one.label).integers(40, 215, 3)
        assert abs(images[place].mean(axis=(0, 1)) - drawn_with).max() < 25


def test_no_picture_is_turned(sets):
    images = prepared(sets["archives"]).train.images
    for place, one in odd(7):
        with Image.open(io.BytesIO(one.content)) as picture:
            assert picture.getexif()[0x0112] == 6
            assert not np.array_equal(images[place], square(ImageOps.exif_transpose(picture)))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_notes_that_nobody_can_read_are_passed_over():
    for _, one in odd(6):
        with Image.open(io.BytesIO(one.content)) as picture:
            assert b"broken" in picture.info["exif"]
        assert decoded(one.content, "x")[1] == "JPEG RGB"


# ---------------------------------------------------------------- broken pictures

BROKEN = {
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "text": lambda content: b"404 not found",
}


def spoiled(places, way="cut"):
    """Both splits in the order of the names, with those at these places, (split, n), broken."""
    splits = [list(part) for part in IN_ORDER]
    for split, n in places:
        one = splits[split][n]
        splits[split][n] = dataclasses.replace(one, content=BROKEN[way](one.content))
    return splits


@pytest.mark.parametrize(
    ("layout", "way"),
    [*((layout, "cut") for layout in LAYOUTS), ("kaggle", "empty"), ("parquet", "text")],
)
def test_a_broken_picture_stops_it_and_is_named(capsys, tmp_path, layout, way):
    src = made(tmp_path / "src", layout, *spoiled([(0, 30)], way))
    code, _, said = called(capsys, src, tmp_path / "out")
    assert code == 2
    assert said.startswith(f"minialexnet: error: {src}/")
    assert f"{IN_ORDER[0][30].name}: " in said
    assert said.count("\n") == 1
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["out.unfinished", "src"]
    (named_broken,) = report(tmp_path / "out.unfinished")["broken"]
    assert f"{named_broken}; replace it and start again, or leave out " in said


PLACES = {
    "the first": [(0, 0)],
    "the last": [(0, 71)],
    "the last ones": [(0, 69), (0, 70), (0, 71), (1, 22), (1, 23)],
    "the first and the last": [(0, 0), (0, 71), (1, 0), (1, 23)],
    "some": [(0, 5), (0, 6), (0, 40), (0, 70), (1, 3)],
    "validation pictures": [(1, 0), (1, 11), (1, 23)],
    "more than are left behind them": [(0, n) for n in range(0, 72, 5)],
    "most": [(0, n) for n in range(72) if n % 12] + [(1, n) for n in range(1, 24)],
}


def as_a_set(images, labels):
    return sorted(
        (label, image.tobytes()) for image, label in zip(images, labels.tolist(), strict=True)
    )


@pytest.mark.parametrize(
    ("layout", "which"), [*(("archives", which) for which in PLACES), ("parquet", "some")]
)
def test_without_broken_pictures_it_is_the_set_of_the_others(capsys, tmp_path, sets, layout, which):
    src = made(tmp_path / "src", layout, *spoiled(PLACES[which]))
    assert called(capsys, src, tmp_path / "out", "--skip-broken")[0] == 0
    made_, whole = prepared(tmp_path / "out"), prepared(sets[layout])
    for number, name in enumerate(("train", "test")):
        ours, theirs = getattr(made_, name), getattr(whole, name)
        good = np.ones(len(theirs.labels), bool)
        good[[n for split, n in PLACES[which] if split == number]] = False
        expected = as_a_set(theirs.images[good], theirs.labels[good])
        assert as_a_set(ours.images, ours.labels) == expected
        # Where one is missing, one from the end has moved in.
        assert np.array_equal(ours.images, theirs.images[moved(good)])
        assert ours.images.dtype == np.uint8
    assert demand_intact(tmp_path / "out") == 96 - len(PLACES[which])
    broken = report(tmp_path / "out")["broken"]
    assert len(broken) == len(PLACES[which])
    for (split, n), said in zip(PLACES[which], broken, strict=True):
        assert IN_ORDER[split][n].name in said

    # Mean and colours are those of a set that never had the broken ones.
    others = [
        [one for n, one in enumerate(part) if (split, n) not in PLACES[which]]
        for split, part in enumerate(IN_ORDER)
    ]
    if {one.label for one in others[1]} < set(range(6)):
        return
    src = made(tmp_path / "without", "folders", *others)
    without = prepare(imagenet_source(src), tmp_path / "less", SIZE, 1)
    assert np.array_equal(made_.mean, without.mean)
    for name in ("deviations", "directions"):
        assert np.array_equal(getattr(made_.colours, name), getattr(without.colours, name))


def test_moved_leaves_whole_ones_where_they_are():
    for seed in range(50):
        good = np.random.default_rng(seed).random(20) < 0.7
        taken = moved(good)
        assert sorted(taken) == np.flatnonzero(good).tolist()
        stayed = np.flatnonzero(good[: len(taken)])
        assert np.array_equal(taken[stayed], stayed)


@pytest.mark.parametrize(
    ("places", "what"),
    [
        ([(0, n) for n in range(12, 24)], "training pictures of n01751748 sea snake"),
        ([(1, n) for n in range(24)], "test pictures"),
    ],
)
def test_a_class_with_no_picture_left_is_refused(capsys, tmp_path, places, what):
    src = made(tmp_path / "src", "archives", *spoiled(places))
    out, unfinished = tmp_path / "out", tmp_path / "out.unfinished"
    for _ in range(2):
        code, _, said = called(capsys, src, out, "--skip-broken")
        assert code == 2
        assert said == (
            f"minialexnet: error: {out}: all {what} are broken (see {unfinished / 'report.json'}): "
            f"replace them, and remove {unfinished} to begin anew\n"
        )
        assert not out.exists()
        assert len(report(unfinished)["broken"]) == len(places)


# ---------------------------------------------------------------- stopped and gone on with


class Stopped(BaseException):
    """As abrupt as Ctrl-C."""


def stop_after(monkeypatch, count):
    """Let decoding end after so many pictures."""
    left = iter(range(count))

    def stopping(content, name):
        if next(left, None) is None:
            raise Stopped
        return decoded(content, name)

    monkeypatch.setattr(preparation, "decoded", stopping)


def stop(monkeypatch, src, out, count, **options):
    with monkeypatch.context() as patch:
        stop_after(patch, count)
        with pytest.raises(Stopped):
            prepare(imagenet_source(src), out, SIZE, 1, **options)
    assert not out.exists()


@pytest.mark.parametrize("count", [0, 7, 33, 71, 72, 80, 95])
def test_going_on_gives_what_no_stop_gives(monkeypatch, copies, sets, tmp_path, count):
    monkeypatch.setattr(archives, "JOB", 5)
    stop(monkeypatch, copies["archives"], tmp_path / "out", count)
    seen = []
    monkeypatch.setattr(
        preparation, "decoded", lambda content, name: seen.append(name) or decoded(content, name)
    )
    prepare(imagenet_source(copies["archives"]), tmp_path / "out", SIZE, 1)
    assert files(tmp_path / "out") == files(sets["archives"])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    # Only the job that was stopped is done again; the training pictures' last one has two.
    done = count // 5 * 5 if count < 72 else 72 + (count - 72) // 5 * 5
    assert len(seen) == 96 - (70 if count == 71 else done)


def test_going_on_without_broken_pictures_gives_what_no_stop_gives(monkeypatch, tmp_path):
    monkeypatch.setattr(archives, "JOB", 5)
    src = made(tmp_path / "src", "archives", *spoiled(PLACES["some"] + PLACES["the last ones"]))
    prepare(imagenet_source(src), tmp_path / "straight", SIZE, 1, skip_broken=True)
    for count in (6, 8, 42, 75, 94):
        out = tmp_path / str(count)
        stop(monkeypatch, src, out, count, skip_broken=True)
        stop(monkeypatch, src, out, 1, skip_broken=True)
        prepare(imagenet_source(src), out, SIZE, 1, skip_broken=True)
        assert files(out) == files(tmp_path / "straight")


@pytest.mark.parametrize(
    ("layout", "place"),
    [("archives", (0, 0)), ("archives", (0, 71)), ("folders", (1, 9)), ("parquet", (0, 40))],
)
def test_a_picture_that_was_mended_is_taken(capsys, tmp_path, sets, layout, place):
    src, out = made(tmp_path / "src", layout, *spoiled([place])), tmp_path / "out"
    assert called(capsys, src, out)[0] == 2
    shutil.rmtree(src)
    made(src, layout)
    assert called(capsys, src, out)[0] == 0
    assert files(out) == files(sets[layout])


def test_what_was_left_out_once_is_not_taken_in_again(capsys, monkeypatch, tmp_path):
    """It would be of another place; nothing would tell it from the picture that moved there."""
    monkeypatch.setattr(archives, "JOB", 5)
    src, out = made(tmp_path / "src", "archives", *spoiled([(0, 3)])), tmp_path / "out"
    stop(monkeypatch, src, out, 20, skip_broken=True)
    code, _, said = called(capsys, src, out)
    assert code == 2
    assert f"{IN_ORDER[0][3].name}: broken picture: " in said
    assert "; replace it and start again, or leave out " in said
    assert said.count("\n") == 1
    assert called(capsys, src, out, "--skip-broken")[0] == 0
    assert demand_intact(out) == 95


@pytest.mark.parametrize("layouts", [("archives", "parquet"), ("parquet", "archives")])
def test_another_copy_of_the_same_pictures_may_go_on(monkeypatch, copies, sets, tmp_path, layouts):
    """Even where it comes in as many jobs, of other pictures."""
    monkeypatch.setattr(archives, "JOB", 10)
    out, said = tmp_path / "out", []
    counts = [len(list(imagenet_source(copies[one]).train.readers())) for one in layouts]
    assert counts == [8, 8]
    stop(monkeypatch, copies[layouts[0]], out, 45)
    prepare(imagenet_source(copies[layouts[1]]), out, SIZE, 1, say=said.append)
    assert files(out) == files(sets["archives"])
    assert said == [
        f"{tmp_path / 'out.unfinished' / 'ledger.npz'} is damaged, or of another copy of the "
        "pictures: starting again"
    ]


def test_a_copy_in_the_same_pieces_goes_on_from_there(monkeypatch, copies, sets, tmp_path):
    out, said = tmp_path / "out", []
    stop(monkeypatch, copies["archives"], out, 70)
    prepare(imagenet_source(copies["kaggle"]), out, SIZE, 1, say=said.append)
    assert files(out) == files(sets["archives"])
    assert said == []


# ---------------------------------------------------------------- the command


@pytest.fixture
def place(tmp_path, monkeypatch, copies):
    """The current folder, with a copy of some layout in it to spoil."""
    monkeypatch.chdir(tmp_path)
    return lambda layout: shutil.copytree(copies[layout], tmp_path / "src")


@pytest.fixture
def refused(capsys, tmp_path):
    """Prepares src, which must be refused: in one line, which it returns, and without a trace."""

    def refused(*options, said_before=False):
        before = tiny.contents(tmp_path)
        code, said, errors = called(capsys, "src", "out", *options)
        assert code == 2
        assert said_before or said == ""
        assert errors.startswith("minialexnet: error: ")
        assert errors.endswith("\n")
        assert errors.count("\n") == 1
        assert tiny.contents(tmp_path) == before
        return errors

    return refused


def test_a_try_says_what_it_takes_and_writes_nothing(capsys, place, tmp_path):
    place("archives")
    before = tiny.contents(tmp_path)
    code, said, errors = called(capsys, "src", "out", "--dry-run")
    assert (code, errors) == (0, "")
    assert tiny.contents(tmp_path) == before
    *found, takes, last = said.splitlines()
    assert len(found) == 4
    assert takes.startswith(
        "out: 96 pictures of 16 x 16 pixels, shorter side scaled, centre cut out; 0.1 MB, of "
    )
    assert takes.endswith(", processes: 1")
    assert " GB free; about 0:00:0" in takes
    assert last == "nothing was written (--dry-run)"


def test_a_try_of_what_is_begun_or_done_writes_nothing(capsys, place, tmp_path, monkeypatch):
    src = place("archives")
    monkeypatch.setattr(archives, "JOB", 5)
    stop(monkeypatch, src, tmp_path / "out", 20)
    for _ in range(2):
        before = tiny.contents(tmp_path)
        assert called(capsys, "src", "out", "--dry-run")[0] == 0
        assert tiny.contents(tmp_path) == before
        assert called(capsys, "src", "out")[0] == 0


def test_the_time_that_is_told_is_that_of_all_pictures(copies, monkeypatch, tmp_path):
    clock = iter([100.0, 108.0])
    monkeypatch.setattr(preparation.time, "perf_counter", lambda: next(clock))
    source = imagenet_source(copies["archives"])
    takes = preparation.estimate(source, tmp_path / "out", SIZE, 2)
    # Sixteen are tried: eight of each of the two jobs.
    assert takes.seconds == 8 / 16 * 96 / 2
    assert takes.needed == 96 * SIZE * SIZE * 3


def usage(free):
    return lambda path: SimpleNamespace(total=10**12, used=0, free=free)


def test_too_small_a_disk_is_refused(refused, place, monkeypatch):
    place("archives")
    monkeypatch.setattr(preparation.shutil, "disk_usage", usage(96 * 768 - 1))
    said = refused(said_before=True)
    assert said == "minialexnet: error: out needs 0.1 MB, there are 0.1 MB free\n"
    refused("--dry-run", said_before=True)


def test_a_disk_that_is_just_large_enough_will_do(capsys, place, monkeypatch):
    place("archives")
    monkeypatch.setattr(preparation.shutil, "disk_usage", usage(96 * 768))
    assert called(capsys, "src", "out")[0] == 0


def test_what_is_reserved_already_counts_as_free(capsys, place, monkeypatch, tmp_path):
    stop(monkeypatch, place("archives"), tmp_path / "out", 80)
    monkeypatch.setattr(preparation.shutil, "disk_usage", usage(0))
    assert called(capsys, "src", "out")[0] == 0


def test_what_is_done_is_said_to_be_done(capsys, place, tmp_path, monkeypatch):
    place("archives")
    code, said, errors = called(capsys, "src", "out")
    assert (code, errors) == (0, "")
    last = "out: 72 + 24 images of 6 classes; train on it with: minialexnet train --data out"
    assert said.splitlines()[-1] == last
    before = tiny.contents(tmp_path)
    monkeypatch.setattr(preparation, "decoded", None)
    code, said, errors = called(capsys, "src", "out")
    assert (code, errors) == (0, "")
    assert said.splitlines()[-2:] == ["out holds just these pictures already", last]
    assert tiny.contents(tmp_path) == before


def test_it_can_be_checked(capsys, sets, tmp_path):
    folder = shutil.copytree(sets["archives"], tmp_path / "set")
    assert main(["prepare", "check", str(folder)]) == 0
    assert capsys.readouterr() == (f"{folder}: 96 pictures, all intact\n", "")
    content = bytearray((folder / "test_images.npy").read_bytes())
    content[-1] ^= 1
    (folder / "test_images.npy").write_bytes(content)
    assert main(["prepare", "check", str(folder)]) == 2
    assert capsys.readouterr().err == (
        f"minialexnet: error: {folder / 'test_images.npy'}: picture 23 is damaged (its checksum "
        "is another): prepare the data set again\n"
    )


def test_a_place_that_is_taken_is_refused_before_anything_is_read(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("all of it")
    assert f"{tmp_path / 'out'} already holds files; choose another" in refused()


def test_what_was_begun_of_other_pictures_is_not_gone_on_with(refused, place, monkeypatch, capsys):
    src = place("archives")
    stop(monkeypatch, src, src.parent / "out", 20)
    begun = src.parent / "out.unfinished"
    message = (
        f"minialexnet: error: {begun} was begun from other pictures, or for another size "
        "('ImageNet, ILSVRC-2012', 16 pixels, {'train': 72, 'test': 24}): remove it to begin anew\n"
    )
    before = tiny.contents(src.parent)
    assert main(["prepare", "imagenet", "src", "out", "--size", "17", "--processes", "1"]) == 2
    assert capsys.readouterr().err == message
    assert tiny.contents(src.parent) == before
    shutil.rmtree(src)
    renamed = dataclasses.replace(TRAIN[0], name=TRAIN[0].name.replace("_", "_9"))
    made(src, "archives", [renamed, *TRAIN[1:]], VALIDATION)
    assert refused(said_before=True) == message
    shutil.rmtree(src)
    # The same names, another label.
    other = [dataclasses.replace(VALIDATION[0], label=(VALIDATION[0].label + 1) % 6)]
    made(src, "archives", TRAIN, other + VALIDATION[1:])
    assert refused(said_before=True) == message


@pytest.mark.parametrize("name", ["thesis.txt", "meta.json", ".hidden"])
def test_a_folder_of_that_name_which_holds_other_things_is_left_alone(refused, place, name):
    unfinished = place("archives").parent / "out.unfinished"
    unfinished.mkdir()
    (unfinished / name).write_text("mine")
    (unfinished / "train_images.npy").write_text("mine, too")
    assert refused(said_before=True) == (
        f"minialexnet: error: {unfinished} is in the way, it holds {name}: move it, or choose "
        "another folder than the one next to it\n"
    )


def test_a_file_of_that_name_is_left_alone(refused, place):
    unfinished = place("archives").parent / "out.unfinished"
    unfinished.write_text("mine")
    assert refused(said_before=True) == (
        f"minialexnet: error: {unfinished} is a file, and in the way: move it, or choose another "
        "folder than the one next to it\n"
    )


def test_two_at_once_are_refused(refused, place, capsys, monkeypatch):
    src = place("archives")
    stop(monkeypatch, src, src.parent / "out", 20)
    with alone(src.parent / "out.unfinished", "testing"):
        assert refused(said_before=True) == (
            f"minialexnet: error: {src.parent / 'out.unfinished'}: another process is preparing "
            "pictures here\n"
        )
    assert called(capsys, "src", "out")[0] == 0


def test_a_damaged_report_is_refused(refused, place, monkeypatch):
    src = place("archives")
    stop(monkeypatch, src, src.parent / "out", 20)
    path = src.parent / "out.unfinished" / "report.json"
    for content in (b"", b"{", b"[]", b"\xff\xfe"):
        path.write_bytes(content)
        said = refused(said_before=True)
        assert said.startswith(f"minialexnet: error: {path}: ")
        assert said.endswith(f": remove {path.parent} to begin anew\n")


def test_sizes_are_256_and_32_unless_told():
    from minialexnet.__main__ import parser

    for kind, size in (("imagenet", 256), ("folder", 32)):
        assert parser().parse_args(["prepare", kind, "src", "out"]).size == size


@pytest.mark.parametrize("processes", [1, 2])
def test_a_picture_that_has_gone_is_named(copies, tmp_path, processes):
    src = shutil.copytree(copies["folders"], tmp_path / "src")
    source = imagenet_source(src)
    path = src / "train" / WNIDS[3] / IN_ORDER[0][40].name
    path.unlink()
    with pytest.raises(FileNotFoundError) as caught:
        prepare(source, tmp_path / "out", SIZE, processes)
    assert caught.value.filename == str(path)


# ---------------------------------------------------------------- words


def test_words_are_known_for_a_thousand_classes_in_order():
    words = known_words()
    assert len(words) == 1000
    assert list(words) == sorted(words)
    assert next(iter(words)) == "n01440764"
    for wnid, _, said in CLASSES:
        assert words[wnid] == said


def test_two_cranes_stay_two():
    assert named(["n02012849", "n03126707"], {}) == ("n02012849 crane", "n03126707 crane")
    assert len(set(named(known_words(), {}))) == 1000


def test_words_of_known_classes_are_the_known_ones():
    assert named(["n02012849"], {"n02012849": "bird"}) == ("n02012849 crane",)


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("archives", "n99999999 unicorn, fabulous beast"),
        ("devkit", "n99999999 unicorn, fabulous beast"),
        ("kaggle", "n99999999 unicorn, fabulous beast"),
        ("folders", "n99999999"),
        ("parquet", "n99999999"),
    ],
)
def test_unknown_classes_are_called_what_the_labels_call_them(monkeypatch, tmp_path, layout, name):
    classes = (*CLASSES[:5], ("n99999999", 361, "unicorn, fabulous beast"))
    monkeypatch.setattr(tiny_imagenet, "CLASSES", classes)
    monkeypatch.setattr(tiny_imagenet, "WNIDS", (*WNIDS[:5], "n99999999"))
    source = imagenet_source(made(tmp_path / "src", layout, *drawn(2, 1)))
    assert source.classes == (*(f"{wnid} {words}" for wnid, _, words in CLASSES[:5]), name)


# ---------------------------------------------------------------- what cannot be used


def rewrite(file, path=lambda name: name, label=lambda label, row: label):
    """Change the columns of a parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pq.read_table(file).to_pylist()
    for number, row in enumerate(rows):
        row["image"]["path"] = path(row["image"]["path"])
        row["label"] = label(row["label"], number)
    pq.write_table(pa.Table.from_pylist(rows, pq.read_schema(file)), file, row_group_size=10)


def columns(**columns):
    """Put other columns into the first parquet file."""

    def spoil(src):
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(columns), table(src))

    return spoil


def without_rows(src):
    import pyarrow.parquet as pq

    for path in (src / "data").glob("train-*"):
        pq.write_table(pq.read_table(path)[:0], path)


def parquet(copies, tmp_path, **changes):
    src = shutil.copytree(copies["parquet"], tmp_path / "src")
    for path in sorted((src / "data").glob("train-*")):
        rewrite(path, **changes)
    return src


def table(src, name="train-00000-of-00002"):
    return src / "data" / f"{name}.parquet"


def move(src, name, to):
    (src / to).parent.mkdir(parents=True, exist_ok=True)
    (src / name).rename(src / to)


def truth(change):
    """Change the ground truth of a kit that is a folder; `change` is given its lines."""

    def spoil(src):
        path = src / TRUTH
        path.write_text("".join(f"{line}\n" for line in change(path.read_text().split())))

    return spoil


def solution(change):
    """Change Kaggle's table; `change` is given its rows, without the head."""

    def spoil(src):
        path = src / "LOC_val_solution.csv"
        head, *rows = csv.reader(io.StringIO(path.read_text()))
        text = io.StringIO()
        csv.writer(text).writerows([head, *change(rows)])
        path.write_text(text.getvalue())

    return spoil


def synsets(*rows, **arrays):
    """Write another meta.mat into a kit that is a folder."""

    def spoil(src):
        kinds = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
        known = [(number, wnid, words, 0) for wnid, number, words in CLASSES]
        table = np.array([*known, *rows], dtype=kinds).reshape(-1, 1)
        savemat(src / META, arrays or {"synsets": table})

    return spoil


def text(name, content):
    def spoil(src):
        (src / name).write_bytes(content)

    return spoil


def gone(*names):
    def spoil(src):
        for name in names:
            path = src / name
            path.unlink() if path.is_file() else shutil.rmtree(path)

    return spoil


def with_kaggles_labels(change):
    """Kaggle's table beside a kit that is a folder."""

    def spoil(src):
        with (src / "LOC_val_solution.csv").open("w", newline="") as file:
            rows = [[f"ILSVRC2012_val_{n:08}", f"{WNIDS[d.label]} 1 2 3 4"] for n, d in known()]
            csv.writer(file).writerows([["ImageId", "PredictionString"], *change(rows)])

    return spoil


def known():
    return enumerate(VALIDATION, 1)


def tars(train=None, val=None):
    """Other archives, of names and contents."""

    def spoil(src):
        for name, parts in (("train", train), ("val", val)):
            if parts is not None:
                (src / f"ILSVRC2012_img_{name}.tar").write_bytes(archive(parts))

    return spoil


def classes(label):
    return (
        f"{WNIDS[label]}.tar",
        archive([(d.name, d.content) for d in TRAIN if d.label == label]),
    )


def kit(files):
    return text(f"{KIT}.tar.gz", archive([(f"{KIT}/{name}", data) for name, data in files]))


FIRST = next(wnid for wnid, number, _ in CLASSES if number == CLASSES[VALIDATION[0].label][1])
LONG = "9" * 5000
HEAD = b"ImageId,PredictionString\n"

WRONG = {
    # ------------------------------------------------ which copy
    "an empty folder": (
        "folders",
        gone("train", "val"),
        "src: found no training pictures of Image",
    ),
    "no folders of classes": (
        "folders",
        lambda src: [path.rename(src / "train" / path.name[1:]) for path in src.glob("train/*")],
        "src: found no training pictures of ImageNet; expected ILSVRC2012_img_*.tar, ",
    ),
    "no validation archive": (
        "archives",
        gone("ILSVRC2012_img_val.tar"),
        "src: found no validation pictures of ImageNet; ",
    ),
    "no validation folder": ("folders", gone("val"), "src: found no validation pictures of Image"),
    "a validation folder of other things": (
        "devkit",
        lambda src: [
            path.rename(f"{path}.txt"[:-30] + path.name[15:]) for path in src.glob("val/*")
        ],
        "src: found no validation pictures of ImageNet; ",
    ),
    "no validation tables": (
        "parquet",
        lambda src: table(src, "validation-00000-of-00001").unlink(),
        "src: found no validation pictures of ImageNet; ",
    ),
    "an archive and folders": (
        "archives",
        lambda src: (src / "train" / "n01440764").mkdir(parents=True),
        "src: found training pictures twice, src/ILSVRC2012_img_train.tar and src/train: move one",
    ),
    "two archives": (
        "archives",
        lambda src: shutil.copy(src / "ILSVRC2012_img_val.tar", src / "ILSVRC2010_img_val.tar"),
        "src: found validation pictures twice, src/ILSVRC2010_img_val.tar and src/ILSVRC2012_img_",
    ),
    "two folders to train on": (
        "folders",
        lambda src: shutil.copytree(src / "train", src / "ILSVRC/Data/CLS-LOC/train"),
        "training pictures twice, src/train and src/ILSVRC/Data/CLS-LOC/train: move one of them",
    ),
    "two folders of validation pictures": (
        "folders",
        lambda src: shutil.copytree(src / "val", src / "validation"),
        "src: found validation pictures twice, src/val and src/validation: move one of them away",
    ),
    "tables twice": (
        "parquet",
        lambda src: [shutil.copy(path, src) for path in (src / "data").iterdir()],
        "src: found training pictures twice, src/*.parquet and src/data/*.parquet: move one",
    ),
    "tables and folders": (
        "parquet",
        lambda src: (src / "train" / "n01440764").mkdir(parents=True),
        "src: found training pictures twice, src/train and src/data/*.parquet: move one",
    ),
    # ------------------------------------------------ pictures and classes
    "one class": (
        "folders",
        gone(*(f"train/{wnid}" for wnid in WNIDS[1:])),
        "src/train: expected two classes or more, got 1",
    ),
    "one class in the archive": (
        "archives",
        tars(train=[classes(0)]),
        "src/ILSVRC2012_img_train.tar: expected two classes or more, got 1",
    ),
    "an empty class": (
        "folders",
        lambda src: [path.unlink() for path in (src / "train" / WNIDS[2]).iterdir()],
        f"src/train/{WNIDS[2]}: expected pictures (.jpg, .jpeg, .png), got none",
    ),
    "an empty class in the archive": (
        "archives",
        tars(train=[classes(0), (f"{WNIDS[1]}.tar", archive([]))]),
        f"src/ILSVRC2012_img_train.tar: {WNIDS[1]}.tar holds no pictures",
    ),
    "a class twice in the archive": (
        "archives",
        tars(train=[classes(0), classes(1), classes(0)]),
        f"src/ILSVRC2012_img_train.tar: {WNIDS[0]}.tar is in it twice",
    ),
    "a picture twice in the archive": (
        "archives",
        tars(val=[(d.name, d.content) for d in (*VALIDATION, VALIDATION[5])]),
        "src/ILSVRC2012_img_val.tar: the same picture is in it twice",
    ),
    "a picture twice in a class": (
        "archives",
        tars(train=[classes(1), (f"{WNIDS[0]}.tar", archive([(f"{WNIDS[0]}_1.JPEG", b"x")] * 2))]),
        f"src/ILSVRC2012_img_train.tar: {WNIDS[0]}.tar: the same picture is in it twice",
    ),
    "no pictures in the archive": (
        "archives",
        tars(val=[]),
        "src/ILSVRC2012_img_val.tar: expected pictures, got none",
    ),
    "a validation class without training pictures": (
        "folders",
        gone(f"train/{WNIDS[3]}"),
        f"src: classes without training pictures: {WNIDS[3]}",
    ),
    "a class without validation pictures": (
        "folders",
        gone(f"val/{WNIDS[3]}"),
        f"src: classes without test pictures: {WNIDS[3]}",
    ),
    "a class that no label names": (
        "devkit",
        lambda src: shutil.copytree(src / "train" / WNIDS[0], src / "train" / "n00000001"),
        "src/val: no validation pictures of n00000001",
    ),
    "a class that no row has": (
        "parquet",
        lambda src: rewrite(
            table(src), path=lambda name: name.replace(WNIDS[0], "n00000001"), label=mark_class_0
        ),
        "src/data: no validation pictures of n00000001",
    ),
    "a validation picture of another name": (
        "devkit",
        lambda src: move(src, f"val/{VALIDATION[0].name}", "val/tench.JPEG"),
        "src/ILSVRC2012_devkit_t12: no label for the validation picture tench.JPEG",
    ),
    "a validation picture in two classes": (
        "folders",
        lambda src: shutil.copy(next((src / "val" / WNIDS[0]).iterdir()), src / "val" / WNIDS[1]),
        ".JPEG is in two classes",
    ),
    "a validation picture twice, another one not at all": (
        "devkit",
        lambda src: move(src, f"val/{VALIDATION[1].name}", f"val/{VALIDATION[0].name[:-5]}.jpeg"),
        f"src/{KIT}: validation picture 1 is there twice",
    ),
    # ------------------------------------------------ labels
    "no labels": (
        "archives",
        gone(f"{KIT}.tar.gz"),
        "src/ILSVRC2012_img_val.tar: what do these pictures show? Expected ILSVRC2012_devkit_t12",
    ),
    "no labels for a heap": (
        "kaggle",
        gone("LOC_val_solution.csv"),
        "src/ILSVRC/Data/CLS-LOC/val: what do these pictures show? Expected ILSVRC2012_devkit_t12",
    ),
    "a kit without ground truth": ("devkit", gone(TRUTH), f"src/{KIT}: expected the development"),
    "a kit without meta.mat": (
        "devkit",
        gone(META),
        f"src/{KIT}: expected the development kit's meta.mat in it, got none",
    ),
    "an archived kit without ground truth": (
        "archives",
        kit([("data/meta.mat", devkit(VALIDATION)["data/meta.mat"])]),
        f"src/{KIT}.tar.gz: expected the development kit's ILSVRC2012_validation_ground_truth.txt",
    ),
    "an archived kit with two": (
        "archives",
        kit([("data/meta.mat", b"x"), ("old/meta.mat", b"x")]),
        f"src/{KIT}.tar.gz: meta.mat is in it twice",
    ),
    "a kit that is no archive": (
        "archives",
        text(f"{KIT}.tar.gz", b"<html>404</html>"),
        f"src/{KIT}.tar.gz: broken archive: ",
    ),
    "a short ground truth": (
        "devkit",
        truth(lambda lines: lines[:-1]),
        f"src/{KIT}: no label for the validation picture ILSVRC2012_val_00000024.JPEG",
    ),
    "a long ground truth": (
        "devkit",
        truth(lambda lines: [*lines, lines[0]]),
        f"src/{KIT}: labels for 25 validation pictures, but there are 24",
    ),
    "an empty ground truth": (
        "devkit",
        truth(lambda lines: []),
        f"src/{KIT}: no label for the validation picture ILSVRC2012_val_00000001.JPEG",
    ),
    "a number that no class has": (
        "devkit",
        truth(lambda lines: [*lines[:4], "1", *lines[5:]]),
        f"src/{KIT}: ILSVRC2012_validation_ground_truth.txt, line 5: expected the ILSVRC2012_ID "
        "of a class of meta.mat, got '1'",
    ),
    "a number of what stands above the classes": (
        "devkit",
        truth(lambda lines: ["1001", *lines[1:]]),
        "line 1: expected the ILSVRC2012_ID of a class of meta.mat, got '1001'",
    ),
    "a word for a number": ("devkit", truth(lambda lines: ["tench", *lines[1:]]), "got 'tench'"),
    "a negative number": ("devkit", truth(lambda lines: ["-449", *lines[1:]]), "got '-449'"),
    "a number too long to be one": (
        "devkit",
        truth(lambda lines: [LONG, *lines[1:]]),
        f"of a class of meta.mat, got '{LONG[:40]}'\n",
    ),
    "bytes for numbers": (
        "devkit",
        text(TRUTH, b"\xff\xfe\0\1" * 9),
        "line 1: expected the ILSVRC",
    ),
    "a class of the kit without training pictures": (
        "devkit",
        gone(f"train/{FIRST}"),
        f"src/{KIT}: ILSVRC2012_val_00000001.JPEG shows {FIRST}, of which there are no training",
    ),
    "a broken meta.mat": ("devkit", text(META, b"MATLAB 5.0"), f"src/{KIT}: meta.mat is broken: "),
    "a meta.mat of other things": (
        "devkit",
        synsets(weights=np.zeros(3)),
        f"src/{KIT}: meta.mat is broken: no table synsets",
    ),
    "a meta.mat without columns": (
        "devkit",
        synsets(synsets=np.zeros(3)),
        f"src/{KIT}: meta.mat is broken: ",
    ),
    "two classes of a number": (
        "devkit",
        synsets((449, "n09999999", "hen", 0)),
        f"src/{KIT}: meta.mat: expected a number and a WordNet ID for each class",
    ),
    "two numbers of a class": (
        "devkit",
        synsets((1, "n01440764", "tench", 0)),
        f"src/{KIT}: meta.mat: expected a number and a WordNet ID for each class",
    ),
    "a class without an ID": (
        "devkit",
        synsets((1, "tench", "tench", 0)),
        f"src/{KIT}: meta.mat: expected a number and a WordNet ID for each class",
    ),
    "two kits that disagree": (
        "devkit",
        lambda src: (
            shutil.copytree(src / KIT, src / "ILSVRC2012_devkit_t12_v2"),
            truth(lambda lines: [*lines[:7], "449" if lines[7] != "449" else "490", *lines[8:]])(
                src
            ),
        ),
        "src/ILSVRC2012_devkit_t12_v2 and src/ILSVRC2012_devkit_t12 disagree about validation "
        "picture 8: ",
    ),
    "a kit and Kaggle that disagree": (
        "devkit",
        with_kaggles_labels(lambda rows: [*rows[:3], [rows[3][0], "n00000001 1 2"], *rows[4:]]),
        "src/LOC_val_solution.csv and src/ILSVRC2012_devkit_t12 disagree about validation picture "
        f"4: n00000001 and {WNIDS[VALIDATION[3].label]}; move the wrong one away",
    ),
    "a kit and a part of Kaggle's": (
        "devkit",
        with_kaggles_labels(lambda rows: rows[1:]),
        f"disagree about validation picture 1: None and {FIRST}; ",
    ),
    "an empty kit and Kaggle": (
        "devkit",
        lambda src: (truth(lambda lines: [])(src), with_kaggles_labels(lambda rows: rows)(src)),
        f"disagree about validation picture 1: {FIRST} and None; ",
    ),
    # ------------------------------------------------ Kaggle's table
    "an empty file": ("kaggle", text("LOC_val_solution.csv", b""), "expected the columns ImageId"),
    "a table of other columns": (
        "kaggle",
        text("LOC_val_solution.csv", b"id,class\n1,2\n"),
        "src/LOC_val_solution.csv: expected the columns ImageId, PredictionString",
    ),
    "a table without rows": (
        "kaggle",
        text("LOC_val_solution.csv", HEAD),
        "src/LOC_val_solution.csv: no label for the validation picture ILSVRC2012_val_00000001",
    ),
    "a table of bytes": (
        "kaggle",
        text("LOC_val_solution.csv", b"\xff\xfe\x00"),
        "src/LOC_val_solution.csv: expected text: ",
    ),
    "a quote that never ends": (
        "kaggle",
        text("LOC_val_solution.csv", HEAD + b'"' + b"x" * 200_000),
        "src/LOC_val_solution.csv: expected text: field larger than field limit",
    ),
    "a row too short": (
        "kaggle",
        solution(lambda rows: [[rows[0][0]], *rows[1:]]),
        "src/LOC_val_solution.csv, line 2: expected a picture and its WordNet ID with boxes, got ",
    ),
    "a row too long": (
        "kaggle",
        solution(lambda rows: [*rows[:9], [*rows[9], "7"], *rows[10:]]),
        "src/LOC_val_solution.csv, line 11: expected a picture and its WordNet ID with boxes, got ",
    ),
    "an empty row": ("kaggle", solution(lambda rows: [[], *rows]), "line 2: expected a picture"),
    "a row of another picture": (
        "kaggle",
        solution(lambda rows: [["ILSVRC2012_test_00000001", rows[0][1]], *rows[1:]]),
        "line 2: expected a picture and its WordNet ID with boxes, got 'ILSVRC2012_test_00000001,",
    ),
    "a row without a class": (
        "kaggle",
        solution(lambda rows: [[rows[0][0], " "], *rows[1:]]),
        "line 2: expected a picture and its WordNet ID with boxes, got ",
    ),
    "a row of numbers": (
        "kaggle",
        solution(lambda rows: [[rows[0][0], "85 1 499 272"], *rows[1:]]),
        "line 2: expected a picture and its WordNet ID with boxes, got ",
    ),
    "a picture that is two things": (
        "kaggle",
        solution(lambda rows: [*rows, [rows[0][0], "n00000001 1 2 3 4"]]),
        "src/LOC_val_solution.csv, line 26: validation picture 24 is n00000001, and "
        f"{WNIDS[VALIDATION[23].label]} before",
    ),
    "a picture that has no row": (
        "kaggle",
        solution(lambda rows: rows[:-1]),
        "src/LOC_val_solution.csv: no label for the validation picture ILSVRC2012_val_00000001.",
    ),
    "a row that has no picture": (
        "kaggle",
        solution(lambda rows: [*rows, ["ILSVRC2012_val_00000025", "n01440764 1 2 3 4"]]),
        "src/LOC_val_solution.csv: labels for 25 validation pictures, but there are 24",
    ),
    "a row of a class without training pictures": (
        "kaggle",
        solution(lambda rows: [*rows[:-1], [rows[-1][0], "n00000001 1 2 3 4"]]),
        "src/LOC_val_solution.csv: ILSVRC2012_val_00000001.JPEG shows n00000001, of which there",
    ),
    # ------------------------------------------------ parquet
    "a label of two classes": (
        "parquet",
        lambda src: rewrite(table(src), label=lambda label, n: 0 if label == 1 else label),
        f"src/data: label 0 stands for {WNIDS[0]} and for {WNIDS[1]}",
    ),
    "an unknown label": (
        "parquet",
        lambda src: rewrite(
            table(src, "validation-00000-of-00001"), label=lambda label, n: label if n else 17
        ),
        "src/data: validation pictures have the label 17, which no training picture has",
    ),
    "no label, as in the test split": (
        "parquet",
        lambda src: rewrite(table(src, "validation-00000-of-00001"), label=lambda label, n: -1),
        "src/data: validation pictures have the label -1, which no training picture has",
    ),
    "a name that contradicts its label": (
        "parquet",
        lambda src: rewrite(
            table(src, "validation-00000-of-00001"),
            label=lambda label, n: (label + 1) % 6 if n == 2 else label,
        ),
        f"src/data: ILSVRC2012_val_00000003.JPEG shows {WNIDS[VALIDATION[2].label]} by its name, "
        f"{WNIDS[(VALIDATION[2].label + 1) % 6]} by its label",
    ),
    "no path": (
        "parquet",
        lambda src: rewrite(table(src), path=lambda name: None),
        "src/data/train-00000-of-00002.parquet: expected names such as n01440764_10026.JPEG or "
        "ILSVRC2012_val_00000001.JPEG, and labels, got None and ",
    ),
    "another path": (
        "parquet",
        lambda src: rewrite(table(src), path=lambda name: "tench\n.JPEG"),
        "and labels, got 'tench\\n.JPEG' and ",
    ),
    "letters of other alphabets": (
        "parquet",
        lambda src: rewrite(table(src), path=lambda name: "n0144076\u0664_10026.JPEG"),
        "expected names such as n01440764_10026.JPEG or ",
    ),
    "no label": (
        "parquet",
        lambda src: rewrite(table(src), label=lambda label, n: None),
        "src/data/train-00000-of-00002.parquet: expected names such as n01440764_10026.JPEG or ",
    ),
    "a row twice": (
        "parquet",
        lambda src: shutil.copy(table(src), src / "data" / "train-00002-of-00002.parquet"),
        ".JPEG is there twice",
    ),
    "a table cut short": (
        "parquet",
        lambda src: table(src).write_bytes(table(src).read_bytes()[:-9]),
        "src/data/train-00000-of-00002.parquet: broken parquet file: ",
    ),
    "an empty table": (
        "parquet",
        lambda src: table(src).write_bytes(b""),
        "src/data/train-00000-of-00002.parquet: broken parquet file: ",
    ),
    "a table of other things": (
        "parquet",
        columns(weight=[1.0]),
        "src/data/train-00000-of-00002.parquet: broken parquet file: ",
    ),
    "pictures that are numbers": (
        "parquet",
        columns(image=[1], label=[1]),
        "src/data/train-00000-of-00002.parquet: broken parquet file: ",
    ),
    "paths that are numbers": (
        "parquet",
        columns(image=[{"bytes": b"", "path": 7}], label=[1]),
        "src/data/train-00000-of-00002.parquet: broken parquet file: ",
    ),
    "labels that are words": (
        "parquet",
        columns(image=[{"bytes": b"", "path": TRAIN[0].name}], label=["tench"]),
        f"and labels, got '{TRAIN[0].name}' and 'tench'",
    ),
    "tables without rows": ("parquet", without_rows, "src/data: expected pictures, got none"),
}


def mark_class_0(label, number):
    return 99 if label == 0 else label


@pytest.fixture(scope="module")
def smaller(tmp_path_factory):
    """Each of LAYOUTS with two or three training pictures of a class; not to be written to."""
    folder = tmp_path_factory.mktemp("smaller")
    few = [one for label in range(6) for one in TRAIN if one.label == label][::5]
    return Kept(lambda layout: made(folder / layout, layout, few[::2] + few[1::2]))


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_used_is_refused_in_a_line_that_names_it(
    refused, smaller, tmp_path, monkeypatch, kind
):
    layout, spoil, expected = WRONG[kind]
    monkeypatch.chdir(tmp_path)
    spoil(shutil.copytree(smaller[layout], tmp_path / "src"))
    assert expected in refused()


def test_the_folder_must_be_one(refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refused() == "minialexnet: error: src: no such folder\n"
    (tmp_path / "src").write_text("a file")
    assert refused() == "minialexnet: error: src: expected a folder, got a file\n"


def test_a_library_that_is_missing_is_named(refused, place, monkeypatch):
    place("parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert refused() == (
        "minialexnet: error: src/data/train-00000-of-00002.parquet: reading parquet takes pyarrow: "
        'pip install "minialexnet[parquet]"\n'
    )
