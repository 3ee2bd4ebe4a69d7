"""Data sets by name, and batches that use every picture once."""

import sys
from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
import tiny

from minialexnet.data import NAMES, Split, batches, load
from minialexnet.errors import InputError


def test_a_folder_is_loaded_by_its_path(data_folder):
    data, expected = load(str(data_folder)), tiny.dataset()
    assert data.classes == tiny.CLASSES
    assert np.array_equal(data.train.images, expected.train.images)
    assert np.array_equal(data.test.labels, expected.test.labels)
    assert np.array_equal(data.mean, expected.mean)


def test_the_built_in_set_goes_by_its_name_whatever_folders_there_are(monkeypatch, tmp_path):
    (tmp_path / "shapes").mkdir()
    monkeypatch.chdir(tmp_path)
    drawn = tiny.dataset()
    fake = SimpleNamespace(shapes=lambda: drawn)
    monkeypatch.setitem(sys.modules, "minialexnet.data.shapes", fake)
    assert load("shapes") is drawn


def test_cifar10_is_loaded_from_where_it_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("MINIALEXNET_DATA", str(tmp_path))
    with pytest.raises(InputError, match="CIFAR-10 is not prepared yet: `minialexnet prepare"):
        load("cifar10")
    tiny.prepared(tmp_path / "cifar10")
    assert load("cifar10").classes == tiny.CLASSES


@pytest.mark.parametrize("name", ["digits", "Shapes", "nothing/here", __file__])
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(InputError) as caught:
        load(name)
    assert str(caught.value).startswith(f'unknown data "{name}": expected shapes, cifar10, or a ')


def test_a_folder_that_is_not_prepared_is_refused_by_its_name(tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        load(str(tmp_path))


def test_the_names_are_those_that_need_no_folder():
    assert NAMES == ("shapes", "cifar10")


# ---------------------------------------------------------------- batches


def numbered(count):
    """Pictures whose first pixel, and whose label, is their number."""
    images = np.zeros((count, 2, 2, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(count)
    return Split(images, np.arange(count))


def labels(split, size, seed=0, start=0):
    drawn = list(batches(split, size, np.random.default_rng(seed), start))
    for images, numbers in drawn:
        assert images.dtype == np.uint8
        assert images[:, 0, 0, 0].tolist() == numbers.tolist()
    return [numbers.tolist() for _, numbers in drawn]


@pytest.mark.parametrize(("count", "sizes"), [(12, [4, 4, 4]), (13, [4, 4, 4, 1]), (3, [3])])
def test_every_picture_comes_once_and_the_last_batch_may_be_short(count, sizes):
    drawn = labels(numbered(count), 4)
    assert [len(batch) for batch in drawn] == sizes
    assert sorted(chain(*drawn)) == list(range(count))


def test_the_order_is_the_generators():
    split = numbered(50)
    expected = np.random.default_rng(3).permutation(50).tolist()
    assert list(chain(*labels(split, 7, seed=3))) == expected != list(range(50))
    assert list(chain(*labels(split, 7, seed=4))) != expected


@pytest.mark.parametrize("start", [0, 1, 3, 4, 9])
def test_what_was_used_already_is_left_out(start):
    split = numbered(13)
    assert labels(split, 4, start=start) == labels(split, 4)[start:]


def test_pictures_on_disk_are_drawn_into_memory(data_folder):
    train = load(str(data_folder)).train
    images, _ = next(batches(train, 5, np.random.default_rng(0)))
    assert not isinstance(images.base if images.base is not None else images, np.memmap)
    images[:] = 0
