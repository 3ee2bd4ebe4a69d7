"""Class folders of pictures become a prepared data set, the same with any number of processes."""

import shutil

import numpy as np
import pytest
from PIL import Image

from minialexnet.data import folder
from minialexnet.data.folder import prepare_folder
from minialexnet.data.picture import pixels, square
from minialexnet.errors import InputError

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


def refusal(src, **options):
    out = src.parent / "out"
    before = sorted(src.parent.rglob("*"))
    with pytest.raises(InputError) as caught:
        prepare_folder(src, out, **{"size": 8, "processes": 1} | options)
    assert sorted(src.parent.rglob("*")) == before, "something was left on the disk"
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- what comes out


def test_every_picture_at_its_place(src, tmp_path):
    data = prepare_folder(src, tmp_path / "out", size=8, processes=1)
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


def test_the_size_is_32_unless_told(src, tmp_path):
    assert prepare_folder(src, tmp_path / "out", processes=1).train.images.shape == (6, 32, 32, 3)


def test_processes_change_nothing(src, tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "ROUND", 4)  # ten pictures: two whole rounds and a short one
    for processes in (1, 2):
        prepare_folder(src, tmp_path / str(processes), size=8, processes=processes)
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()


def test_as_many_processes_as_processors_unless_told(src, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(folder.os, "cpu_count", lambda: 7)
    monkeypatch.setattr(
        folder,
        "_squares",
        lambda paths, size, processes: asked.append(processes) or np.zeros((len(paths), 8, 8, 3)),
    )
    prepare_folder(src, tmp_path / "out", size=8)
    assert asked == [7]


def test_val_will_do_for_test(src, tmp_path):
    (src / "test").rename(src / "val")
    data = prepare_folder(src, tmp_path / "out", size=8, processes=1)
    assert np.array_equal(data.test.images[3], square(pixels(src / "val" / "dog" / "1.png"), 8))


def test_what_is_no_picture_by_its_name_is_left_out(src, tmp_path):
    (src / "train" / "readme.txt").write_text("about")
    (src / "train" / "ant" / "notes.txt").write_text("about ants")
    (src / "train" / "ant" / "._b.jpg").write_bytes(b"of the operating system")
    (src / "train" / "ant" / "more.jpg").mkdir()
    (src / "train" / ".cache").mkdir()
    data = prepare_folder(src, tmp_path / "out", size=8, processes=1)
    assert len(data.train.images) == 6
    assert data.classes == ("ant", "bee", "dog")


def test_no_progress_is_shown_where_nobody_looks(src, tmp_path, capsys):
    prepare_folder(src, tmp_path / "out", size=8, processes=1)
    assert capsys.readouterr() == ("", "")


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


@pytest.mark.parametrize("processes", [1, 2])
def test_a_broken_picture_is_named(src, processes):
    (src / "test" / "bee" / "x.png").write_bytes(b"")
    message = f"{src / 'test' / 'bee' / 'x.png'}: the file is empty"
    assert refusal(src, processes=processes) == message


@pytest.mark.parametrize("size", [0, 7, 1025, -3])
def test_size_out_of_range(src, size):
    assert refusal(src, size=size) == f"expected a size of 8 ... 1024 pixels, got {size}"


def test_no_processes(src):
    assert refusal(src, processes=0) == "expected 1 process or more, got 0"


def test_the_place_is_checked_before_the_pictures(src):
    out = src.parent / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("all of it")
    shutil.rmtree(src / "train")
    assert refusal(src) == f"{out} already holds files; choose another folder or remove it"


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError])
def test_a_failure_in_the_middle_leaves_nothing(src, tmp_path, monkeypatch, failure):
    calls = []

    def fail_at_the_third(path):
        calls.append(path)
        if len(calls) == 3:
            raise failure
        return pixels(path)

    monkeypatch.setattr(folder, "pixels", fail_at_the_third)
    with pytest.raises(failure):
        prepare_folder(src, tmp_path / "out", size=8, processes=1)
    assert list(tmp_path.iterdir()) == [src]
