"""The whole package on an accelerator: what programs do, from the first step to the pictures.

On the strict device every result is NumPy's bit for bit. On a GPU sums have another order, and what
is compared there is compared with a tolerance.
"""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import tiny
from accelerators import on_each_accelerator, same
from PIL import Image

from minialexnet import backend, check, checkpoint, guard, layers, strict
from minialexnet.__main__ import main
from minialexnet.data import load, prepared
from minialexnet.evaluate import Member, ensemble_error_rates, probabilities
from minialexnet.experiments.base import Training
from minialexnet.experiments.training import row_of
from minialexnet.look import report
from minialexnet.look.inside import features, occlusion, outputs, saliency
from minialexnet.networks import mini
from minialexnet.recipe import Recipe
from minialexnet.run import Run

CPU = backend.device("cpu")
pytestmark = pytest.mark.usefixtures("at_once")
AUGMENTED = {"crop": 32, "flip": True, "colour": 0.2, "share": 2}
# Steps of training make a rounding grow.
TRAINED = 1e-2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A prepared data set of 16 + 6 pictures of 40 x 40 pixels."""
    return tiny.prepared(tmp_path_factory.mktemp("set") / "data", train=16, test=6, size=40)


@pytest.fixture
def by_name(monkeypatch):
    """The strict device answers to its name, for programs that ask for a device by name."""
    real = backend.device
    named = {"strict": strict.device()}
    monkeypatch.setattr(backend, "device", lambda name="cpu": named.get(name) or real(name))


def recipe(folder, **numbers) -> Recipe:
    return Recipe(data=str(folder), epochs=2, batch=8, engine="plain", **(AUGMENTED | numbers))


def trained(folder, out, there, **numbers):
    """A run from beginning to end: what its folder holds."""
    assert Run(recipe(folder, **numbers), out, there, 1).go()
    return checkpoint.load(out / checkpoint.LAST)


def assert_same_states(ours, theirs, on):
    same(ours.params, theirs.params, on, TRAINED)
    same(ours.velocity, theirs.velocity, on, 10 * TRAINED)
    if on.name == "strict":
        assert ours.about == theirs.about


# ---------------------------------------------------------------- runs


@on_each_accelerator
@pytest.mark.parametrize("numbers", [{}, {"init": "lsuv", "crops": "ten"}], ids=["mini", "lsuv"])
def test_a_run_with_augmentation_tests_checkpoints_and_pictures(folder, tmp_path, on, numbers):
    host = trained(folder, tmp_path / "host", CPU, **numbers)
    there = trained(folder, tmp_path / "there", on, **numbers)
    assert_same_states(there, host, on)
    names = {path.name for path in (tmp_path / "host").iterdir()}
    assert names == {path.name for path in (tmp_path / "there").iterdir()}
    if on.name == "strict":
        for name in ("filters.png", "predictions.png"):
            first, second = ((tmp_path / out / name).read_bytes() for out in ("host", "there"))
            assert first == second


@on_each_accelerator
def test_a_run_that_was_stopped_goes_on(folder, tmp_path, monkeypatch, on):
    # Or losses would come home once in many steps.
    monkeypatch.setattr("minialexnet.train.TOGETHER", 1, raising=False)
    whole = trained(folder, tmp_path / "whole", on)
    run = Run(recipe(folder), tmp_path / "parts", on, 1)
    watch, steps = run._watch, []

    def stopped(*arguments):
        watch(*arguments)
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt

    run._watch = stopped
    with pytest.raises(KeyboardInterrupt):
        run.go(save_minutes=0)
    assert Run(recipe(folder), tmp_path / "parts", on, 1, resume=True).go()
    parts = checkpoint.load(tmp_path / "parts" / checkpoint.LAST)
    assert tiny.same(parts.params, whole.params)
    assert tiny.same(parts.velocity, whole.velocity)
    assert parts.about == whole.about


@on_each_accelerator
def test_a_run_that_diverges_says_how_large_its_activations_became(folder, tmp_path, on):
    run = Run(recipe(folder, rate=1e30), tmp_path / "run", on, 1)
    with pytest.raises(Exception, match="Activations, standard deviation by layer"):
        run.go()


# ---------------------------------------------------------------- commands


def said(capsys, *words) -> str:
    assert main([str(word) for word in words]) == 0
    return capsys.readouterr().out


@on_each_accelerator
def test_the_commands_train_evaluate_and_predict(folder, tmp_path, capsys, by_name, on):
    picture = tmp_path / "picture.png"
    Image.fromarray(prepared(folder).test.images[0]).save(picture)
    words = ["train", "--data", folder, "--epochs", 1, "--batch", 8, "--engine", "plain"]
    words += ["--crop", 32, "--flip", "--crops", "ten"]
    answers = {}
    for name in ("cpu", on.name):
        run, device = tmp_path / name, ["--device", name]
        said(capsys, *words, "--out", run, *device)
        answers[name] = [
            said(capsys, "evaluate", run, *device),
            said(capsys, "evaluate", run, "--crops", "center", *device),
            said(capsys, "evaluate", run, run, "--best", *device).replace(str(run), "RUN"),
            said(capsys, "predict", run, picture, "--json", *device),
        ]
    if on.name == "strict":
        assert answers["strict"] == answers["cpu"]
    found = [json.loads(answers[name][-1])[0]["predictions"] for name in answers]
    for first, second in zip(*found, strict=True):
        assert first["probability"] == pytest.approx(second["probability"], abs=TRAINED)


# ---------------------------------------------------------------- what looks at a network


def prepared_network(data, on):
    """A network that tells these pictures apart, and how they enter it there."""
    net = mini(np.random.default_rng(0), len(data.classes))
    net.params = {name: on.put(array) for name, array in net.params.items()}
    return net, Recipe(crop=32).seen(data.mean, on)


def numbers_inside(data, on) -> dict:
    """All that the pictures of a network are drawn from, on the host."""
    net, see = prepared_network(data, on)
    images, labels = data.test.images[:5], data.test.labels[:5]
    shown = {name: on.get(array) for name, array in outputs(net, see(images)).items()}
    ensemble = ensemble_error_rates([Member(net, see, "ten"), Member(net, see)], data.test)
    return shown | {
        "features": features(net, images, see),
        "saliency": saliency(net, images, labels, see),
        "occlusion": occlusion(net, images[0], labels[0], see, patch=16, stride=8),
        "ten crops": probabilities(net, images, see, "ten"),
        "centre": probabilities(net, images, see),
        "ensemble": np.array([*ensemble[0], ensemble[1]]),
        "scales": np.array([scale for _, scale in guard.activation_scales(net, see(images), on)]),
    }


@on_each_accelerator
def test_what_a_network_has_learnt_is_looked_at(folder, on):
    data = load(str(folder))
    same(numbers_inside(data, on), numbers_inside(data, CPU), on)


@on_each_accelerator
def test_all_pictures_of_a_network_are_drawn(folder, monkeypatch, on):
    monkeypatch.setattr(report, "SHOWN", 2)
    data = load(str(folder))
    drawn = {}
    for there in (CPU, on):
        net, see = prepared_network(data, there)
        for name, figure in report.pictures(net, see, data).items():
            file = io.BytesIO()
            figure.savefig(file, format="png", dpi=40, metadata={"Software": None})
            drawn.setdefault(name, []).append(file.getvalue())
    assert {"filters", "feature-maps", "neighbours", "attention"} <= drawn.keys()
    assert all(len(both) == 2 for both in drawn.values())
    if on.name == "strict":
        assert [name for name, (first, second) in drawn.items() if first != second] == []


# ---------------------------------------------------------------- experiments


@on_each_accelerator
def test_a_training_of_an_experiment_becomes_a_row(folder, on):
    numbers = recipe(folder, network="four_layers", crop=0, init="lsuv")
    one = Training("x", replace(numbers, rate=0.01), pictures=12, center=32)
    data = load(str(folder))
    host, there = row_of(one, data, CPU), row_of(one, data, on)
    apart = {name for name in host if host[name] != there[name]} - {"cpu_seconds"}
    assert on.name != "strict" or not apart
    assert there["ended"] == "end"


# ---------------------------------------------------------------- check


def layer_of(kind):
    rng = np.random.default_rng(0)
    made = {
        "Conv2D": lambda: layers.Conv2D(3, 4, 3, pad=1, std=0.3, bias=0.5, rng=rng),
        "Conv2D on pictures": lambda: layers.Conv2D(3, 4, 3, std=0.3, rng=rng, input_grad=False),
        "LocalResponseNorm": lambda: layers.LocalResponseNorm(alpha=0.5),
        "MaxPool": lambda: layers.MaxPool(3, 2),
        "Tanh": layers.Tanh,
    }
    return made[kind](), rng.standard_normal((2, 7, 6, 3))


@on_each_accelerator
@pytest.mark.parametrize(
    "kind", ["Conv2D", "Conv2D on pictures", "LocalResponseNorm", "MaxPool", "Tanh"]
)
def test_layers_are_checked_there(kind, on):
    layer, x = layer_of(kind)
    params = dict(layer.params)
    check.layer(layer, x, device=on)
    assert all(layer.params[name] is array for name, array in params.items())


@on_each_accelerator
def test_dropout_is_checked_there(on):
    check.layer(layers.Dropout(), np.ones((3, 9)), seed=3, device=on)


class Doubled(layers.Tanh):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return 2 * dx, grads


class Returning(layers.Tanh):
    def __init__(self, on):
        super().__init__()
        self.on = on

    def forward(self, x, rng=None):
        y, cache = super().forward(x, rng)
        return self.on.get(y), cache


@on_each_accelerator
def test_wrong_layers_are_refused_there(on):
    x = layer_of("Tanh")[1]
    with pytest.raises(AssertionError, match=r"Doubled: dx\[.*but the slope measured there is"):
        check.layer(Doubled(), x, device=on)
    where = f"Returning: y should be on {on.name}, got an array of the host"
    with pytest.raises(AssertionError, match=where):
        check.layer(Returning(on), x, device=on)


def test_a_check_on_the_cpu_is_the_check():
    layer, x = layer_of("Tanh")
    check.layer(layer, x, device=CPU)
