"""The experiment on initial weights: its network, its pictures, and what it reports."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).parent.parent / "lessons" / "experiments" / "initialisation.py"
if not PATH.exists():
    pytest.skip("the package is installed without its lessons", allow_module_level=True)


@pytest.fixture(scope="module")
def experiment():
    spec = importlib.util.spec_from_file_location("initialisation", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_quarter_of_the_filters_says_as_much_as_all(experiment):
    params = experiment.begun("as_run", None)
    assert params["conv1.weight"].shape == (11, 11, 3, 24)
    assert params["conv2.a.weight"].shape == (5, 5, 12, 32)
    assert params["fc8.weight"].shape == (1024, 1000)
    stds = {name: array.std() for name, array in params.items() if name.endswith("weight")}
    assert stds["conv1.weight"] == pytest.approx(0.01, rel=0.05)
    assert stds["conv3.weight"] == pytest.approx(2 * 0.03, rel=0.05)
    assert stds["fc7.weight"] == pytest.approx(2 * 0.01, rel=0.05)


def test_pictures_are_of_their_class(experiment):
    drawn = np.repeat(np.arange(250, dtype=np.uint8), 4)[:, None, None, None]
    drawn = np.broadcast_to(drawn, (1000, 256, 256, 3))
    pictures, labels = experiment.batch(drawn, 6, np.random.default_rng(0))
    assert pictures.shape == (6, 227, 227, 3)
    assert pictures.dtype == np.float32
    for picture, label in zip(pictures, labels, strict=True):
        lit = picture.mean() / (drawn[label, 0, 0, 0] - 128.0)
        assert 0.55 < lit < 1.25


@pytest.mark.parametrize(
    ("last", "verdict"),
    [(6.9, "stalls"), (7.1, "stalls"), (5.0, "moves"), (50.0, "diverges"), (math.nan, "diverges")],
)
def test_the_verdict(experiment, last, verdict):
    scales = dict.fromkeys(experiment.SHOWN, 1.0)
    page = experiment.report({"he": ([6.9] * 9 + [last], scales)}, 10, 64, 0.01)
    assert f"| he | 0.015625 | 6.900 | {last:.3f} | {verdict} |" in page


def test_a_run_of_two_steps(experiment, tmp_path, capsys):
    experiment.STARTS = {"lsuv": 1 / 64}
    experiment.main(["--steps", "2", "--batch", "2", "--out", str(tmp_path)])
    assert "| lsuv | 1 | 1 | 1 |" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {
        "initialisation.md",
        "initialisation.png",
    }


def test_no_steps_are_refused(experiment):
    with pytest.raises(SystemExit):
        experiment.main(["--steps", "0"])
