"""What is written comes back, what is broken is named, and nothing is left half done."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tiny

from minialexnet.data.prepared import demand_intact, meta_checksum, prepared
from minialexnet.data.statistics import sums
from minialexnet.data.writing import new_prepared, vacant
from minialexnet.errors import InputError

NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def pictures(count, size=8):
    return np.random.default_rng(count).integers(0, 256, (count, size, size, 3), np.uint8)


def new(out):
    return new_prepared(out, train=5, test=3, size=8, classes=["cat", "dog"], source="noise")


def fill(train, test):
    train.images[:], train.labels[:] = pictures(5), [0, 1, 1, 0, 1]
    test.images[:], test.labels[:] = pictures(3), [1, 0, 1]


@pytest.fixture
def folder(tmp_path):
    with new(tmp_path / "set") as (train, test):
        fill(train, test)
    return tmp_path / "set"


@pytest.fixture
def foreign(folder):
    """The same set without checksums, so that every claim must be looked at."""
    return tiny.foreign(folder)


def refusal(folder, read=prepared):
    with pytest.raises(InputError) as caught:
        read(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- what is written comes back


def test_what_was_written_comes_back(folder):
    data = prepared(folder)
    assert np.array_equal(data.train.images, pictures(5))
    assert np.array_equal(data.test.images, pictures(3))
    assert data.train.labels.tolist() == [0, 1, 1, 0, 1]
    assert data.test.labels.tolist() == [1, 0, 1]
    assert data.train.labels.dtype == data.test.labels.dtype == np.int64
    assert data.classes == ("cat", "dog")
    assert data.source == "noise"
    assert data.mean.dtype == np.float32
    assert np.array_equal(data.mean, pictures(5).mean(axis=0).astype(np.float32))


def test_images_are_mapped_not_loaded_and_cannot_be_written_to(folder):
    data = prepared(folder)
    for images in (data.train.images, data.test.images):
        assert isinstance(images, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            images[0] = 0


def test_the_files_are_plain_numpy_and_json(folder):
    assert np.array_equal(np.load(folder / "train_images.npy", allow_pickle=False), pictures(5))
    meta = json.loads((folder / "meta.json").read_text())
    assert meta["format"] == 1
    assert meta["classes"] == ["cat", "dog"]
    assert meta["counts"] == {"train": 5, "test": 3}
    assert meta["source"] == "noise"
    assert np.allclose(meta["mean"], pictures(5).mean(axis=(0, 1, 2)), rtol=1e-6)
    assert len(list(folder.iterdir())) == 7


def test_how_the_colours_vary_comes_back(folder):
    expected = sums(pictures(5)).colours()
    colours = prepared(folder).colours
    assert np.array_equal(colours.deviations, expected.deviations)
    assert np.array_equal(colours.directions, expected.directions)


def test_a_set_of_other_tools_needs_neither_colours_nor_checksums(foreign):
    data = prepared(foreign)
    assert data.colours is None
    assert np.array_equal(data.train.images, pictures(5))
    assert len(list(foreign.iterdir())) == 6


@pytest.mark.parametrize("dtype", ["u1", ">i4", "u8"])
def test_any_integers_serve_as_labels(foreign, dtype):
    np.save(foreign / "test_labels.npy", np.array([1, 0, 1], dtype))
    labels = prepared(foreign).test.labels
    assert labels.tolist() == [1, 0, 1]
    assert labels.dtype == np.int64


def test_a_set_of_other_tools_may_have_oblong_pictures(foreign):
    for name in ("train_images", "test_images", "mean_image"):
        array = np.load(foreign / f"{name}.npy")
        np.save(foreign / f"{name}.npy", array[..., :6, :])
    assert prepared(foreign).train.images.shape == (5, 8, 6, 3)


def test_mean_picture_is_exact_however_many_pictures():
    images = np.full((700, 2, 3, 3), 255, np.uint8)
    images[0, 0, 0, 0] = 0
    images[699, 1, 2, 2] = 155
    expected = np.full((2, 3, 3), 255, np.float32)
    expected[0, 0, 0] = 255 * 699 / 700
    expected[1, 2, 2] = (255 * 699 + 155) / 700
    mean = sums(images).mean()
    assert mean.dtype == np.float32
    assert np.array_equal(mean, expected)


def test_mean_picture_does_not_depend_on_the_order():
    images = pictures(600, 4)
    assert np.array_equal(sums(images).mean(), sums(images[::-1]).mean())


# ---------------------------------------------------------------- what is broken is named


def test_missing_folder(tmp_path):
    assert refusal(tmp_path / "no") == (
        f"{tmp_path / 'no'}: no such folder; `minialexnet prepare` makes one"
    )


@pytest.mark.parametrize(
    "name",
    [
        *("train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy"),
        *("mean_image.npy", "meta.json"),
    ],
)
def test_missing_or_empty_file(foreign, name):
    (foreign / name).write_bytes(b"")
    assert refusal(foreign).startswith(f"{foreign / name}: broken file: ")
    (foreign / name).unlink()
    assert refusal(foreign) == (
        f"{foreign}: not a prepared data set, {name} is missing; `minialexnet prepare` makes one"
    )


@pytest.mark.parametrize("name", ["train_images", "test_labels", "mean_image"])
def test_truncated_array(foreign, name):
    path = foreign / f"{name}.npy"
    path.write_bytes(path.read_bytes()[:-1])
    assert refusal(foreign).startswith(f"{path}: broken file: ")


@pytest.mark.parametrize(("old", "new"), [(b"\x93NUMPY", b"PK\x03\x04  "), (b" \n", b"{\n")])
def test_broken_header(foreign, old, new):
    path = foreign / "test_images.npy"
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    assert refusal(foreign).startswith(f"{path}: broken file: ")


class Trap:
    def __reduce__(self):
        return os.mkdir, ("sprung",)


def test_pickles_are_never_opened(foreign, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save(foreign / "train_labels.npy", np.array([Trap()] * 5, object), allow_pickle=True)
    assert refusal(foreign).startswith(f"{foreign / 'train_labels.npy'}: broken file: ")
    assert not (tmp_path / "sprung").exists()
    np.load(foreign / "train_labels.npy", allow_pickle=True)
    assert (tmp_path / "sprung").exists(), "the trap itself must work"


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (
            "train_images",
            np.zeros((5, 8, 8, 3), np.float32),
            "expected (N, H, W, 3) uint8, got (5, 8, 8, 3) float32",
        ),
        (
            "test_images",
            np.zeros((3, 3, 8, 8), np.uint8),
            "expected (N, H, W, 3) uint8, got (3, 3, 8, 8) uint8",
        ),
        (
            "test_images",
            np.zeros((3, 192), np.uint8),
            "expected (N, H, W, 3) uint8, got (3, 192) uint8",
        ),
        ("train_labels", np.zeros(5), "expected (N,) integers, got (5,) float64"),
        ("train_labels", np.zeros((5, 1), int), "expected (N,) integers, got (5, 1) int64"),
        ("train_labels", np.array([0, 1, 2, 0, 1]), "expected labels 0 ... 1, got 2"),
        ("test_labels", np.array([0, 1, -1]), "expected labels 0 ... 1, got -1"),
        ("test_labels", np.array([0, 1, 2**64 - 1], np.uint64), f"0 ... 1, got {2**64 - 1}"),
        (
            "mean_image",
            np.zeros((8, 7, 3), np.float32),
            "expected (8, 8, 3) float32, got (8, 7, 3) float32",
        ),
        ("mean_image", np.zeros((8, 8, 3)), "expected (8, 8, 3) float32, got (8, 8, 3) float64"),
        ("mean_image", np.full((8, 8, 3), 256, np.float32), "expected values 0 ... 255"),
        ("mean_image", np.full((8, 8, 3), np.nan, np.float32), "expected values 0 ... 255"),
    ],
)
def test_wrong_array(foreign, name, array, message):
    np.save(foreign / f"{name}.npy", array)
    answer = refusal(foreign)
    assert answer.startswith(f"{foreign / name}.npy: ")
    assert answer.endswith(message)


def test_no_pictures(foreign):
    np.save(foreign / "test_images.npy", np.zeros((0, 8, 8, 3), np.uint8))
    np.save(foreign / "test_labels.npy", np.zeros(0, int))
    assert refusal(foreign).startswith(f"{foreign / 'test_images.npy'}: ")


def test_more_labels_than_images(foreign):
    np.save(foreign / "train_labels.npy", np.zeros(6, int))
    assert refusal(foreign) == f"{foreign}: 5 train images, but 6 labels"


def test_other_pictures_to_test_on_than_to_train_on(foreign):
    np.save(foreign / "test_images.npy", np.zeros((3, 9, 8, 3), np.uint8))
    assert refusal(foreign) == (
        f"{foreign}: training pictures are (8, 8, 3), test pictures (9, 8, 3)"
    )


@pytest.mark.parametrize("content", ["{", "\xff", "[" * 200_000, "[1]", "3"])
def test_meta_that_is_no_json_object(folder, content):
    (folder / "meta.json").write_bytes(content.encode("latin-1"))
    assert refusal(folder).startswith(f"{folder / 'meta.json'}: ")


@pytest.mark.parametrize("key", ["format", "classes", "mean", "source", "counts"])
def test_meta_without_a_key(foreign, key):
    meta = json.loads((foreign / "meta.json").read_text())
    del meta[key]
    (foreign / "meta.json").write_text(json.dumps(meta))
    assert refusal(foreign) == f"{foreign / 'meta.json'}: '{key}' is missing"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", 2, "expected format 1, got 2"),
        ("classes", "cat dog", "expected classes to be a list of names"),
        ("classes", ["cat", 7], "expected classes to be a list of names"),
        ("classes", ["cat"], "expected two classes or more, got 1"),
        ("source", None, "expected source to be text"),
        (
            "counts",
            {"train": 5, "test": 4},
            "counts say {'train': 5, 'test': 4}, the arrays hold {'train': 5, 'test': 3}",
        ),
    ],
)
def test_wrong_meta(foreign, key, value, message):
    meta = json.loads((foreign / "meta.json").read_text())
    (foreign / "meta.json").write_text(json.dumps(meta | {key: value}))
    assert refusal(foreign) == f"{foreign / 'meta.json'}: {message}"


@pytest.mark.parametrize(
    ("colours", "message"),
    [
        (3, "expected colours to be deviations and directions"),
        ({"deviations": [1, 2, 3]}, "expected colours to be deviations and directions"),
        (
            {"deviations": [1, 2, 3], "directions": [[1, 0], [0, 1, 0], [0, 0, 1]]},
            "expected colours to be deviations and directions",
        ),
        (
            {"deviations": [1, 2], "directions": np.eye(3).tolist()},
            "expected three colours, each with three numbers",
        ),
        (
            {"deviations": [1, 2, 3], "directions": np.eye(2).tolist()},
            "expected three colours, each with three numbers",
        ),
        (
            {"deviations": [1, 2, float("nan")], "directions": np.eye(3).tolist()},
            "expected colours to be numbers",
        ),
    ],
)
def test_wrong_colours(foreign, colours, message):
    meta = json.loads((foreign / "meta.json").read_text())
    (foreign / "meta.json").write_text(json.dumps(meta | {"colours": colours}))
    assert refusal(foreign) == f"{foreign / 'meta.json'}: {message}"


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize(
    ("name", "place"),
    [("train_labels", -8), ("test_labels", -8), ("mean_image", -4), ("checksums", -1)],
)
def test_a_small_file_that_was_changed_is_damaged(folder, name, place):
    """Also where what it says would do: another class, a mean a little off."""
    path = folder / f"{name}.npy"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert refusal(folder) == f"{path}: damaged (its checksum is another)"
    path.write_bytes(b"")
    assert refusal(folder).startswith(f"{path}: ")


def test_the_list_of_checksums_is_missed(folder):
    (folder / "checksums.npy").unlink()
    assert refusal(folder) == (
        f"{folder / 'meta.json'}: speaks of 'checksums.npy', which is not there"
    )


@pytest.mark.parametrize(
    ("old", "new"), [('"cat"', '"cot"'), ('"noise"', '"voice"'), ("0.", "1."), ("mean", "meen")]
)
def test_a_meta_file_that_was_changed_is_damaged(folder, old, new):
    path = folder / "meta.json"
    path.write_text(path.read_text().replace(old, new, 1))
    assert refusal(folder) in (
        f"{path}: damaged (its checksum is another)",
        f"{path}: 'mean' is missing",
    )


def test_a_meta_file_that_was_laid_out_anew_is_not_damaged(folder):
    meta = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(meta, sort_keys=True))
    assert prepared(folder).classes == ("cat", "dog")


@pytest.mark.parametrize("name", ["../set/train_labels.npy", "thesis.txt", "a\nb", ""])
def test_checksums_of_other_files(folder, name):
    path = folder / "meta.json"
    meta = json.loads(path.read_text())
    meta["checksums"] = {name: 0}
    meta["checksum"] = meta_checksum(meta)
    path.write_text(json.dumps(meta))
    refusal(folder)


def test_checksums_that_are_no_table(foreign):
    meta = json.loads((foreign / "meta.json").read_text())
    (foreign / "meta.json").write_text(json.dumps(meta | {"checksums": [1, 2]}))
    assert refusal(foreign) == (
        f"{foreign / 'meta.json'}: expected checksums to be numbers by file name"
    )


def test_an_intact_set_is_intact(folder):
    assert demand_intact(folder) == 8


@pytest.mark.parametrize(
    ("name", "place", "picture"), [("train", 128, 0), ("train", -1, 4), ("test", 128 + 192, 1)]
)
def test_a_damaged_picture_is_found_where_one_looks(folder, name, place, picture):
    path = folder / f"{name}_images.npy"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert len(prepared(folder).train.images) == 5
    assert refusal(folder, demand_intact) == (
        f"{path}: picture {picture} is damaged (its checksum is another): prepare the data set "
        "again"
    )


def test_a_set_in_the_order_of_other_languages_is_intact_or_not(folder):
    images = np.load(folder / "train_images.npy")
    np.save(folder / "train_images.npy", np.asfortranarray(images))
    assert demand_intact(folder) == 8
    np.save(folder / "train_images.npy", np.asfortranarray(images[::-1]))
    assert "picture 0 is damaged" in refusal(folder, demand_intact)


def test_a_set_without_checksums_cannot_be_checked(foreign):
    assert refusal(foreign, demand_intact) == (
        f"{foreign}: prepared without checksums, its pictures cannot be checked"
    )
    np.save(foreign / "checksums.npy", np.zeros(7, np.uint32))
    assert refusal(foreign, demand_intact) == (
        f"{foreign / 'checksums.npy'}: expected (8,), got (7,)"
    )


def test_a_header_of_any_length_takes_one_line(foreign):
    """NumPy says four about those of more than 10,000 bytes."""
    path = foreign / "train_images.npy"
    content = path.read_bytes()
    path.write_bytes(content[:8] + b"\x76\xff" + content[10:128] + b" " * 65398 + content[128:])
    assert refusal(foreign).startswith(f"{path}: broken file: Header info length (65398) is large")


# ---------------------------------------------------------------- whole or not at all


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path, failure, exists):
    out = tmp_path / "set"
    if exists:
        out.mkdir()
    with pytest.raises(failure), new(out) as (train, test):
        fill(train, test)
        raise failure
    assert list(tmp_path.rglob("*")) == ([out] if exists else [])


def test_nobody_sees_an_unfinished_set(tmp_path):
    with new(tmp_path / "set") as (train, test):
        fill(train, test)
        assert not (tmp_path / "set").exists()
    assert list(tmp_path.iterdir()) == [tmp_path / "set"]


def test_an_empty_folder_and_missing_parents_will_do(tmp_path):
    (tmp_path / "empty").mkdir()
    for out in (tmp_path / "empty", tmp_path / "a" / "b"):
        with new(out) as (train, test):
            fill(train, test)
        assert len(prepared(out).train.images) == 5


def test_others_may_read_it(tmp_path, folder):
    (tmp_path / "usual").mkdir()
    assert folder.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_full_folder_is_left_alone(tmp_path):
    out = tmp_path / "set"
    out.mkdir()
    (out / "thesis.txt").write_text("all of it")
    message = f"{out} already holds files; choose another folder or remove it"
    with pytest.raises(InputError) as caught, new(out):
        pytest.fail("asked too late")
    assert str(caught.value) == message
    assert (out / "thesis.txt").read_text() == "all of it"
    assert list(tmp_path.rglob("*")) == [out, out / "thesis.txt"]


def test_a_file_is_left_alone(tmp_path):
    (tmp_path / "set").write_text("mine")
    with pytest.raises(InputError, match="set is already a file; choose another folder"):
        vacant(tmp_path / "set")
    assert (tmp_path / "set").read_text() == "mine"


def test_a_place_where_a_disk_is_mounted(tmp_path, monkeypatch):
    """Nothing could take its place, which would be noticed after hours of work."""
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda self: self.name == "disk")
    with pytest.raises(InputError) as caught:
        vacant(tmp_path / "disk")
    assert str(caught.value) == (
        f"{tmp_path / 'disk'} is where a disk is mounted; choose a folder in it"
    )
    assert vacant(tmp_path / "disk" / "set") == tmp_path / "disk" / "set"


def test_a_place_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="set cannot be made: "), new(tmp_path / "file" / "set"):
        pytest.fail("nowhere to write")

    def refuse(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(InputError) as caught, new(tmp_path / "set"):
        pytest.fail("nowhere to write")
    assert str(caught.value) == f"{tmp_path / 'set'} cannot be made: Permission denied"


def test_a_disk_without_room_is_noticed_first(tmp_path, monkeypatch):
    def full(*_):
        raise NO_SPACE

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(InputError) as caught, new(tmp_path / "set"):
        pytest.fail("noticed too late")
    assert str(caught.value) == f"{tmp_path / 'set'} needs 1.54e-06 GB: No space left on device"
    assert not any(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="nothing to reserve with")
def test_the_room_on_the_disk_is_reserved(tmp_path):
    with new_prepared(
        tmp_path / "set", train=100, test=1, size=100, classes="ab", source=""
    ) as splits:
        assert os.stat(splits[0].images.filename).st_blocks * 512 >= 100 * 100 * 100 * 3


def test_a_disk_that_fills_up_at_the_end_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise NO_SPACE

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"), new(tmp_path / "set") as (train, test):
        fill(train, test)
    assert not any(tmp_path.iterdir())


def test_whoever_was_first_keeps_the_place(tmp_path):
    out = tmp_path / "set"
    with pytest.raises(OSError), new(out) as (train, test):
        fill(train, test)
        out.mkdir()
        (out / "theirs").write_text("first")
    assert [p.name for p in tmp_path.rglob("*")] == ["set", "theirs"]


def test_a_link_to_an_empty_folder_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with new(tmp_path / "link") as (train, test):
        fill(train, test)
    assert (tmp_path / "link").is_symlink()
    assert len(prepared(tmp_path / "real").test.images) == 3
