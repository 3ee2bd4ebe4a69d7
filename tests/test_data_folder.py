"""Class folders of pictures become a prepared data set, the same with any number of processes."""

import errno
import json
import os
import shutil

import numpy as np
import pytest
import tiny
from PIL import Image

from minialexnet.data import draft, preparation, source
from minialexnet.data.folder import folder_source
from minialexnet.data.picture import decoded, pixels, square
from minialexnet.data.preparation import is_done, prepare
from minialexnet.errors import InputError

pytestmark = pytest.mark.usefixtures("at_once")
# Neither the classes nor the files are written in the order they are to be read in.
TRAIN = ["dog/2.png", "dog/10.jpg", "ant/b.JPEG", "ant/a.jpeg", "ant/C.PNG", "bee/x.Jpg"]
TEST = ["bee/y.png", "bee/x.png", "dog/1.png", "ant/1.png"]
SORTED_TRAIN = ["ant/C.PNG", "ant/a.jpeg", "ant/b.JPEG", "bee/x.Jpg", "dog/10.jpg", "dog/2.png"]
SORTED_TEST = ["ant/1.png", "bee/x.png", "bee/y.png", "dog/1.png"]


@pytest.fixture
def src(tmp_path):
    rng = np.random.default_rng(0)
    for name in [f"train/{n}" for n in TRAIN] + [f"test/{n}" for n in TEST]:
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 17, 3), np.uint8)).save(path)
    return tmp_path / "src"


def prepare_folder(src, out, size=8, processes=1, **options):
    return prepare(folder_source(src), out, size, processes, **options)


def refusal(src, **options):
    out = src.parent / "out"
    before = tiny.contents(src.parent)
    with pytest.raises(InputError) as caught:
        prepare_folder(src, out, **options)
    assert tiny.contents(src.parent) == before, "something was left on the disk"
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- what comes out


def test_every_picture_at_its_place(src, tmp_path):
    data = prepare_folder(src, tmp_path / "out")
    for split, part, names in (
        (data.train, "train", SORTED_TRAIN),
        (data.test, "test", SORTED_TEST),
    ):
        expected = [square(pixels(src / part / name), 8) for name in names]
        assert np.array_equal(split.images, expected)
    assert data.train.labels.tolist() == [0, 0, 0, 1, 2, 2]
    assert data.test.labels.tolist() == [0, 1, 1, 2]
    assert data.classes == ("ant", "bee", "dog")
    assert data.source == f"pictures in {src}"
    assert np.array_equal(data.mean, data.train.images.mean(axis=0).astype(np.float32))
    assert isinstance(data.train.images, np.memmap)


def test_processes_change_nothing(src, tmp_path, monkeypatch):
    monkeypatch.setattr(source, "JOB", 4)  # ten pictures: two jobs for each split
    for processes in (1, 2):
        prepare_folder(src, tmp_path / str(processes), processes=processes)
    assert same(tmp_path / "1", tmp_path / "2")


def same(one, other):
    """Whether two folders hold the same files, byte for byte."""
    names = sorted(path.name for path in one.iterdir())
    assert len(names) == 8
    return names == sorted(path.name for path in other.iterdir()) and all(
        (one / name).read_bytes() == (other / name).read_bytes() for name in names
    )


def test_as_many_processes_as_processors_unless_told(monkeypatch):
    monkeypatch.setattr(preparation.os, "cpu_count", lambda: 7)
    assert preparation.demand_numbers(8, None) == 7
    monkeypatch.setattr(preparation.os, "cpu_count", lambda: None)
    assert preparation.demand_numbers(8, None) == 1
    assert preparation.demand_numbers(8, 3) == 3


def test_val_will_do_for_test(src, tmp_path):
    (src / "test").rename(src / "val")
    data = prepare_folder(src, tmp_path / "out")
    assert np.array_equal(data.test.images[3], square(pixels(src / "val" / "dog" / "1.png"), 8))


def test_what_is_no_picture_by_its_name_is_left_out(src, tmp_path):
    (src / "train" / "readme.txt").write_text("about")
    (src / "train" / "ant" / "notes.txt").write_text("about ants")
    (src / "train" / "ant" / "._b.jpg").write_bytes(b"of the operating system")
    (src / "train" / "ant" / "more.jpg").mkdir()
    (src / "train" / ".cache").mkdir()
    data = prepare_folder(src, tmp_path / "out")
    assert len(data.train.images) == 6
    assert data.classes == ("ant", "bee", "dog")


def test_nothing_is_said_where_nothing_is_odd(src, tmp_path, capsys):
    prepare_folder(src, tmp_path / "out")
    assert capsys.readouterr() == ("", "")


def test_progress_is_told_to_the_last_picture(src, tmp_path, monkeypatch):
    monkeypatch.setattr(source, "JOB", 4)
    told = []
    prepare_folder(src, tmp_path / "out", progress=told.append)
    assert told == [0, 4, 2, 4]


def test_what_was_found_is_said(src):
    assert folder_source(src).found == (
        f"{src / 'train'}: 6 pictures of 3 classes",
        f"{src / 'test'}: 4 pictures of 3 classes",
    )


def test_a_report_names_the_kinds(src, tmp_path):
    prepare_folder(src, tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["kinds"] == {"JPEG RGB": 4, "PNG RGB": 6}
    assert report["broken"] == []
    assert report["pictures"] == {"train": 6, "test": 4}
    assert report["source"] == f"pictures in {src}"


# ---------------------------------------------------------------- what cannot be used


def test_no_such_folder(tmp_path):
    assert refusal(tmp_path / "no") == f"{tmp_path / 'no'}: no such folder"


def test_no_train(src):
    shutil.rmtree(src / "train")
    assert refusal(src) == f"{src}: expected a folder train in it, got none"


def test_neither_test_nor_val(src):
    shutil.rmtree(src / "test")
    assert refusal(src) == f"{src}: expected a folder test or val in it, got none"


def test_both_test_and_val(src):
    shutil.copytree(src / "test", src / "val")
    assert refusal(src) == f"{src}: expected a folder test or val in it, got both"


def test_no_classes(src):
    for path in (src / "train").iterdir():
        shutil.rmtree(path)
    message = "expected one folder a class, two or more, got 0"
    assert refusal(src) == f"{src / 'train'}: {message}"


def test_a_single_class(src):
    for part in ("train", "test"):
        for name in ("ant", "bee"):
            shutil.rmtree(src / part / name)
    message = "expected one folder a class, two or more, got 1"
    assert refusal(src) == f"{src / 'train'}: {message}"


def test_a_class_that_is_never_tested(src):
    shutil.rmtree(src / "test" / "bee")
    assert refusal(src) == f"{src}: classes without test pictures: bee"


def test_classes_that_are_never_learned(src):
    for i in range(7):
        shutil.copytree(src / "test" / "bee", src / "test" / f"wasp{i}")
    assert refusal(src) == (
        f"{src}: classes without training pictures: wasp0, wasp1, wasp2, wasp3, wasp4 and 2 more"
    )


def test_a_class_without_pictures(src):
    (src / "test" / "dog" / "1.png").rename(src / "test" / "dog" / "1.txt")
    assert refusal(src) == (
        f"{src / 'test' / 'dog'}: expected pictures (.jpg, .jpeg, .png), got none"
    )


@pytest.mark.parametrize("size", [0, 7, 1025, -3])
def test_size_out_of_range(src, size):
    assert refusal(src, size=size) == f"expected a size of 8 ... 1024 pixels, got {size}"


def test_no_processes(src):
    assert refusal(src, processes=0) == "expected 1 process or more, got 0"


def test_a_place_that_is_taken(src):
    out = src.parent / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("all of it")
    assert refusal(src) == f"{out} already holds files; choose another folder or remove it"
    (out / "report.json").write_text("of something else")
    assert refusal(src) == f"{out} already holds files; choose another folder or remove it"
    shutil.rmtree(out)
    out.write_text("a file")
    assert refusal(src) == f"{out} is already a file; choose another folder or remove it"


# ---------------------------------------------------------------- stopped and gone on with


def stopped(src, **options):
    """What stopped it, which leaves OUT.unfinished and nothing else."""
    others = tiny.contents(src)
    with pytest.raises(BaseException) as caught:
        prepare_folder(src, src.parent / "out", **options)
    assert sorted(path.name for path in src.parent.iterdir()) == ["out.unfinished", "src"]
    assert tiny.contents(src) == others
    assert (src.parent / "out.unfinished" / "report.json").is_file()
    assert "\n" not in str(caught.value)
    return caught.value


def finished(src, **options):
    """Whether it goes on to what it would have become without a stop."""
    out, straight = src.parent / "out", src.parent / "straight"
    prepare_folder(src, out, **options)
    prepare_folder(src, straight)
    assert sorted(path.name for path in src.parent.iterdir()) == ["out", "src", "straight"]
    return same(out, straight)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_broken_picture_is_named_and_can_be_replaced(src, processes):
    path = src / "test" / "bee" / "x.png"
    whole = path.read_bytes()
    path.write_bytes(b"")
    unfinished = src.parent / "out.unfinished"
    said = f"{path}: the file is empty"
    assert str(stopped(src, processes=processes)) == (
        f"{said}; replace it and start again, or leave out what is broken with --skip-broken "
        f"(see {unfinished / 'report.json'})"
    )
    assert json.loads((unfinished / "report.json").read_text())["broken"] == [said]
    path.write_bytes(whole)
    assert finished(src, processes=processes)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError])
def test_a_failure_in_the_middle_leaves_what_can_go_on(src, monkeypatch, failure):
    monkeypatch.setattr(source, "JOB", 2)
    decoded_names = []

    def fail_at_the_fifth(content, name):
        decoded_names.append(name)
        if len(decoded_names) == 5:
            raise failure
        return decoded(content, name)

    monkeypatch.setattr(preparation, "decoded", fail_at_the_fifth)
    assert type(stopped(src)) is failure
    assert finished(src)
    # The two jobs that were done are not done again; then follows the straight way, of ten.
    assert len(decoded_names) == 5 + 6 + 10


def test_a_disk_that_takes_a_part_of_a_picture(src, monkeypatch):
    real = os.pwrite
    monkeypatch.setattr(draft.os, "pwrite", lambda file, data, at: real(file, data[:3], at))
    error = stopped(src)
    assert (error.errno, error.filename) == (
        errno.ENOSPC,
        str(src.parent / "out.unfinished" / "train_images.npy"),
    )
    monkeypatch.setattr(draft.os, "pwrite", real)
    assert finished(src)


def test_what_is_done_is_not_done_again(src, tmp_path, monkeypatch):
    prepare_folder(src, tmp_path / "out")
    before = tiny.contents(tmp_path)
    monkeypatch.setattr(preparation, "decoded", None)
    assert len(prepare_folder(src, tmp_path / "out").train.images) == 6
    assert tiny.contents(tmp_path) == before
    assert is_done(folder_source(src), tmp_path / "out", 8)
    assert not is_done(folder_source(src), tmp_path / "out", 9)
    (src / "test" / "dog" / "1.png").rename(src / "test" / "dog" / "2.png")
    assert not is_done(folder_source(src), tmp_path / "out", 8)
    out = tmp_path / "out"
    assert refusal(src) == f"{out} already holds files; choose another folder or remove it"
