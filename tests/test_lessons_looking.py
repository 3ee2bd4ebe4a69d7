"""The measurements of lesson 15 on real pictures: their definitions, and a small run."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import tiny

from minialexnet import networks

PATH = Path(__file__).parent.parent / "lessons" / "experiments" / "looking.py"
if not PATH.exists():
    pytest.skip("the package is installed without its lessons", allow_module_level=True)


@pytest.fixture(scope="module")
def looking():
    spec = importlib.util.spec_from_file_location("looking", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_neighbours_of_the_same_class_are_counted(looking):
    among = np.arange(12.0)[:, None]
    known = np.array([0] * 7 + [1] * 5)
    # The six nearest to 0 are of class 0; of those to 11, 11 to 7 are of class 1 and 6 is not.
    share = looking.same_class(np.array([[0.0], [11.0]]), np.array([0, 1]), among, known, batch=1)
    assert share == pytest.approx((6 + 5) / 12)


def test_calibration_sorts_by_what_was_said(looking):
    believed = np.array([[0.95, 0.05], [0.45, 0.55], [0.41, 0.59], [1.0, 0.0]])
    rows = looking.calibration(believed, np.array([0, 1, 0, 0]))
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("sure", "0.5 to 0.6", 2),
        ("right", "0.5 to 0.6", 2),
        ("sure", "0.9 to 1.0", 2),
        ("right", "0.9 to 1.0", 2),
    ]
    assert [row[2] for row in rows] == pytest.approx([0.57, 0.5, 0.975, 1.0])


def test_shuffled_weights_are_the_same_numbers_in_the_named_layers_only(looking):
    params = networks.cifar_18pct(np.random.default_rng(0)).params
    found = looking.shuffled(params, ("conv3",), np.random.default_rng(1))
    for name, array in params.items():
        assert sorted(found[name].ravel()) == sorted(array.ravel())
        assert (found[name] == array).all() == (name != "conv3.weight")


def test_edges_are_where_the_grey_changes(looking):
    images = np.zeros((1, 5, 6, 3), np.uint8)
    images[:, :, 3:] = 100
    found = looking.edges(images)
    assert (found[0] == [0, 0, 50, 50, 0, 0]).all()


def test_other_classes_are_refused(looking, tmp_path):
    with pytest.raises(SystemExit):
        looking.main(["--data", str(tiny.prepared(tmp_path / "other")), "--out", str(tmp_path)])
