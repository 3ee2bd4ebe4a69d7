"""The numbers behind the pictures of what a network has learnt, against plain definitions."""

import numpy as np
import pytest
import tiny

from minialexnet import backend, look, networks
from minialexnet.__main__ import main
from minialexnet.loss import softmax
from minialexnet.recipe import Recipe

CPU = backend.device("cpu")


@pytest.fixture(scope="module")
def net():
    return tiny.network(classes=3, size=8)


@pytest.fixture(scope="module")
def images():
    return tiny.split(5, size=8).images


@pytest.fixture(scope="module")
def see(images):
    return Recipe(scale=(0.02,)).seen(images.mean(axis=0, dtype=np.float32), CPU)


def test_outputs_are_those_of_every_layer(net, images, see):
    found = look.outputs(net, see(images))
    assert list(found) == list(net.layers)
    assert (found["fc2"] == net(see(images))).all()
    assert {name: one.shape[1:] for name, one in found.items()} == net.shapes((8, 8, 3))


def test_the_last_hidden_layer_is_what_the_last_matrix_reads():
    rng = np.random.default_rng(0)
    assert look.last_hidden(networks.mini(rng)) == "drop7"
    assert look.last_hidden(networks.cifar_18pct(rng)) == "flatten"


def test_features_are_what_the_last_matrix_reads(net, images, see, monkeypatch):
    monkeypatch.setattr("minialexnet.look.inside.BATCH", 2)
    found = look.features(net, images, see)
    scores = found @ net.params["fc2.weight"] + net.params["fc2.bias"]
    assert scores == pytest.approx(net(see(images)), abs=1e-5)


def test_the_nearest_by_the_definition_of_distance():
    rng = np.random.default_rng(0)
    queries, among = rng.normal(size=(4, 7)) + 100, rng.normal(size=(30, 7)) + 100
    found = look.nearest(queries.astype(np.float32), among.astype(np.float32), 5)
    for query, places in zip(queries, found, strict=True):
        wanted = sorted(range(30), key=lambda n: sum((query - among[n]) ** 2))
        assert places.tolist() == wanted[:5]


def test_saliency_is_the_slope_of_the_score_in_a_pixel(net, images, see):
    labels = np.array([0, 1, 2, 0, 1])
    found = look.saliency(net, images, labels, see)
    assert found.shape == (5, 8, 8)
    x = see(images).astype(np.float64)
    double = tiny.network(classes=3, size=8)
    double.params = {name: array.astype(np.float64) for name, array in net.params.items()}
    step = 1e-5
    for n, i, j in [(0, 0, 0), (1, 3, 4), (3, 7, 2), (4, 5, 5)]:
        slopes = []
        for colour in range(3):
            up, down = x.copy(), x.copy()
            up[n, i, j, colour] += step * 0.02
            down[n, i, j, colour] -= step * 0.02
            difference = double(up)[n, labels[n]] - double(down)[n, labels[n]]
            slopes.append(abs(difference) / (2 * step))
        assert found[n, i, j] == pytest.approx(max(slopes), rel=1e-3, abs=1e-7)


@pytest.mark.parametrize("make", [networks.mini, networks.cifar_18pct])
def test_saliency_leaves_the_network_as_it_was(make, images):
    net = make(np.random.default_rng(0))
    pictures = tiny.split(2).images
    seen = Recipe().seen(pictures.mean(axis=0, dtype=np.float32), CPU)
    assert look.saliency(net, pictures, [1, 2], seen).max() > 0
    assert not net.input_grad


def test_occlusion_covers_one_place_after_the_other(net, images, see, monkeypatch):
    monkeypatch.setattr("minialexnet.look.inside.BATCH", 4)
    found = look.occlusion(net, images[0], 2, see, patch=3, stride=2)
    assert found.shape == (3, 3)
    for i in range(3):
        for j in range(3):
            covered = images[:1].astype(np.float32)
            rows, columns = slice(2 * i, 2 * i + 3), slice(2 * j, 2 * j + 3)
            covered[0, rows, columns] = see.mean[rows, columns]
            wanted = softmax(net(see(covered)))[0, 2]
            assert found[i, j] == pytest.approx(wanted, abs=1e-6)


def test_confusion_counts_each_picture_once():
    labels, said = np.array([0, 0, 2, 2, 2, 1]), np.array([0, 1, 2, 0, 0, 1])
    wanted = [[1, 1, 0], [0, 1, 0], [2, 0, 1]]
    assert look.confused(labels, said, 3).tolist() == wanted


def test_agreement_compares_ranks_only():
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(4, 5, 6))
    assert look.agreement(maps, np.exp(maps)) == pytest.approx(1)
    assert look.agreement(maps, -maps) == pytest.approx(-1)
    assert (
        abs(look.agreement(rng.normal(size=(3, 90, 90)), rng.normal(size=(3, 90, 90)))).max() < 0.05
    )


def test_agreement_by_hand():
    # Ranks 1 2 3 4 and 2 1 4 3: 1 - 6 (1 + 1 + 1 + 1) / (4 (16 - 1)).
    one, other = np.array([[10.0, 20, 30, 40]]), np.array([[7.0, 5, 9, 8]])
    assert look.agreement(one, other) == pytest.approx(0.6)
    # Equal numbers share a rank: 1.5 1.5 3.5 3.5 against 1 2 3 4.
    assert look.agreement(np.array([[0, 0, 1, 1]]), one) == pytest.approx(4 / np.sqrt(4 * 5))
    assert look.agreement(np.zeros((1, 4)), one) == 0


# ---------------------------------------------------------------- the command


def test_every_picture_is_written(run_copy, capsys):
    assert main(["look", str(run_copy)]) == 0
    wanted = {"filters", "feature-maps", "neighbours", "attention", "confusion"}
    wanted = {f"{name}.png" for name in wanted}
    found = {path.name for path in (run_copy / "look").iterdir()}
    assert wanted <= found <= {*wanted, "mistakes.png"}
    assert capsys.readouterr().out.count("\n") == len(found)


def refused(capsys, *words):
    assert main(["look", *map(str, words)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_nothing_that_exists_is_overwritten(run_copy, capsys):
    (run_copy / "look").mkdir()
    before = tiny.contents(run_copy)
    assert "exists already" in refused(capsys, run_copy)
    assert tiny.contents(run_copy) == before


def test_what_cannot_be_looked_at_is_said(run_copy, tmp_path, capsys):
    other = tiny.prepared(tmp_path / "other", classes=4)
    small = tiny.prepared(tmp_path / "small", size=16)
    assert "needs a run" in refused(capsys)
    assert "needs a run" in refused(capsys, run_copy, "--pretrained", "cifar10")
    assert "needs --out" in refused(capsys, "--pretrained", "cifar10")
    assert "not the classes" in refused(capsys, run_copy, "--data", other)
    assert "16 x 16 pixels" in refused(capsys, run_copy, "--data", small)
    assert "no such run" in refused(capsys, tmp_path / "none", "--out", tmp_path / "x")
    assert not (run_copy / "look").exists()
