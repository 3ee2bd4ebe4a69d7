"""Data sets by name."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tiny

from minialexnet.data import NAMES, load
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
