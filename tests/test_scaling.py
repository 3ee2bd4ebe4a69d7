"""A step whose gradients overflow changes nothing, is counted, and is told about."""

import copy
import csv
import dataclasses
import json

import numpy as np
import pytest
import tiny

from minialexnet import checkpoint, run, scaling, strict
from minialexnet import train as loop
from minialexnet.__main__ import main
from minialexnet.backend import device
from minialexnet.optim import SGD
from minialexnet.ranks.gradients import Flat
from minialexnet.recipe import Recipe
from minialexnet.run import Run, for_device
from minialexnet.scaling import ScaledSGD, Scaling
from minialexnet.train import Progress, train

CPU = device("cpu")
DEVICES = pytest.mark.parametrize("there", [CPU, strict.device()], ids=["cpu", "strict"])


def begun(there=CPU, scale=8.0, good=0, skipped=0):
    one = Scaling()
    one.begin(there, scale, good, skipped)
    return one


def grads(there, *numbers):
    return {"w": there.put(np.array(numbers, np.float32))}


# ---------------------------------------------------------------- the decision


@DEVICES
@pytest.mark.parametrize(
    "bad", [[np.inf, 1], [-np.inf, 1], [np.nan, 1], [np.inf, -np.inf], [np.nan, np.inf]]
)
def test_a_gradient_that_is_not_finite_halves_the_scale(there, bad):
    one = begun(there, good=5)
    one.judge(grads(there, 1, 2) | {"b": there.put(np.array(bad, np.float32))})
    assert not there.get(one.taken)
    assert one.home(there) == (4, 0, 1)


@DEVICES
def test_a_good_step_is_counted_and_many_double_the_scale(there, monkeypatch):
    monkeypatch.setattr(scaling, "PATIENCE", 3)
    one = begun(there)
    seen = []
    for number in (1, 2, 3, np.inf, 5, 6, 7, 8):
        one.judge(grads(there, number, 65504))
        seen.append(one.home(there))
    assert seen == [
        *[(8, 1, 0), (8, 2, 0), (16, 0, 0)],
        (8, 0, 1),
        *[(8, 1, 1), (8, 2, 1), (16, 0, 1), (16, 1, 1)],
    ]


def test_the_scale_grows_to_its_largest_and_no_further(monkeypatch):
    monkeypatch.setattr(scaling, "PATIENCE", 1)
    one = begun(scale=scaling.LARGEST / 2)
    for _ in range(3):
        one.judge(grads(CPU, 1))
    assert one.home(CPU) == (scaling.LARGEST, 0, 0)


def test_the_largest_gradients_of_float16_are_finite_all_together():
    many = np.full(2**20, 65504, np.float32)
    one = begun(scale=1.0)
    one.judge({str(name): many for name in range(64)})
    assert one.taken


@DEVICES
def test_the_numbers_keep_their_dtype(there):
    """A float64 that crept in would turn all gradients into float64."""
    one = begun(there)
    for number in (1, np.nan, 2):
        one.judge(grads(there, number))
        numbers = (one.scale, one.good, one.skipped)
        assert {there.get(x).dtype for x in numbers} == {np.dtype(np.float32)}


# ---------------------------------------------------------------- the descent


@DEVICES
def test_a_step_that_counts_is_the_plain_one_and_another_changes_nothing(there):
    plain, scaled = SGD(0.9, 0.1), ScaledSGD(0.9, 0.1)
    scaled.scaling = begun(there)
    params = grads(there, 1.0, -2.0)
    expected = given = params
    for numbers in ([3.0, 4.0], [np.inf, 1.0], [np.nan, 1.0], [5.0, -6.0]):
        before = dict(scaled.velocity)
        now = scaled.step(given, grads(there, *numbers), 0.1)
        if np.isfinite(numbers).all():
            expected = plain.step(expected, grads(there, *numbers), 0.1)
        else:
            assert not tiny.same(home(there, plain.velocity), {"w": np.zeros(2, np.float32)})
            assert tiny.same(home(there, scaled.velocity), home(there, before))
        given = now
        assert tiny.same(home(there, given), home(there, expected))
        assert tiny.same(home(there, scaled.velocity), home(there, plain.velocity))


def home(there, arrays):
    return {name: there.get(array) for name, array in arrays.items()}


def test_the_very_first_step_may_overflow_too():
    sgd = ScaledSGD()
    sgd.scaling = begun()
    params = grads(CPU, 1.0, 2.0)
    assert tiny.same(sgd.step(params, grads(CPU, np.inf, 0), 0.1), params)
    assert tiny.same(sgd.velocity, grads(CPU, 0, 0))


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("weight", [0.5, 0.0])
def test_every_rank_sees_an_overflow_on_any(bad, weight):
    """Gradients are added up in float32 before they are judged, so all judge the same numbers."""
    ranks = [grads(CPU, 1.0, bad), grads(CPU, 1.0, -bad if np.isinf(bad) else 1.0)]
    flats = [Flat(one) for one in ranks]
    with np.errstate(invalid="ignore"):
        for flat, one, share in zip(flats, ranks, (weight, 1 - weight), strict=True):
            flat.put(one, share)
        total = sum(flat.buffer for flat in flats)
    flats[0].buffer[:] = total
    one = begun()
    one.judge(flats[0].grads)
    assert not one.taken


# ---------------------------------------------------------------- the loop


def small(**numbers):
    usual = {"epochs": 2, "batch": 8, "scale": (0.5,), "rate": 0.001, "schedule": "constant"}
    return Recipe(precision="float16", **usual | numbers)


def trained(recipe, data, there=CPU, progress=None, net=None, velocity=None):
    net = net or tiny.network()
    net.params = home(SimplePut(there), net.params)
    sgd, progress = recipe.optimiser(), progress or Progress()
    sgd.velocity = home(SimplePut(there), velocity or {})
    running = for_device(net, there, "plain", (8, 8, 3), 1, "float16", sgd.scaling)
    return net, sgd, progress, train(running, sgd, data, recipe, there, progress)


class SimplePut:
    """For `home` the other way."""

    def __init__(self, there):
        self.get = lambda array: there.put(np.asarray(array))


@DEVICES
def test_a_scale_that_is_too_large_comes_down_by_skipping(there, monkeypatch):
    monkeypatch.setattr(scaling, "FIRST", 2.0**22)
    monkeypatch.setattr(loop, "TOGETHER", 1)
    data = tiny.dataset(train=40, size=8)
    net, _, progress, steps = trained(small(), data, there)
    before, kept = home(there, net.params), []
    for _ in steps:
        after = home(there, net.params)
        kept.append(tiny.same(after, before))
        before = after
    skipped = kept.count(True)
    assert kept[:3] == [True] * 3
    assert 3 <= skipped < 8
    assert progress.skipped == skipped
    assert progress.scale == 2.0 ** (22 - skipped)
    assert progress.good == kept[::-1].index(True)
    rows = progress.history
    assert [row["skipped"] for row in rows] == [kept[:5].count(True), kept[5:].count(True)]
    assert rows[-1]["scale"] == progress.scale


def test_deciding_brings_nothing_home_but_every_few_steps(monkeypatch):
    monkeypatch.setattr(loop, "TOGETHER", 4)
    monkeypatch.setattr(loop, "wrong_counts", lambda *given: [6])
    there, came = strict.device(), []

    def get(array):
        came.append(array.size)
        return strict.asnumpy(array)

    counting = dataclasses.replace(there, get=get)
    *_, steps = trained(small(epochs=1), tiny.dataset(train=80, size=8), counting)
    assert [len(losses) for losses in steps] == [4, 4, 2]
    # Losses, mistakes, and scale, good and skipped steps.
    assert came == [4, 4, 3, 4, 4, 3, 2, 2, 3]


def test_it_can_be_taken_up_after_every_step_to_the_bit(monkeypatch):
    monkeypatch.setattr(scaling, "FIRST", 2.0**21)
    monkeypatch.setattr(scaling, "PATIENCE", 2)
    data, recipe = tiny.dataset(train=40, size=8), small()
    net, sgd, progress, steps = trained(recipe, data)
    states = []
    for _ in steps:
        kept = json.loads(json.dumps(dataclasses.asdict(progress)))
        states.append((dict(net.params), dict(sgd.velocity), kept))
    assert len({state["scale"] for *_, state in states}) > 3
    for params, velocity, kept in states[:9:2]:
        again = tiny.network()
        again.params = params
        where = Progress(**copy.deepcopy(kept))
        _, other, where, steps = trained(recipe, data, CPU, where, again, velocity)
        list(steps)
        assert tiny.same(again.params, net.params)
        assert tiny.same(other.velocity, sgd.velocity)
        names = ("scale", "good", "skipped")
        assert [getattr(where, n) for n in names] == [getattr(progress, n) for n in names]


# ---------------------------------------------------------------- a run


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr(run.Run, "pictures", lambda self: None)


def test_skipped_steps_are_printed_and_logged(capsys, data_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "FIRST", 2.0**24)
    out = tmp_path / "run"
    words = ["--precision", "float16", "--epochs", "2", "--batch", "8", "--rate", "0.001"]
    assert main(["train", "--data", str(data_folder), "--out", str(out), *words]) == 0
    said = capsys.readouterr().out
    assert "; 3 steps skipped, in which float16 overflowed (scale 2,097,152)" in said
    with (out / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert int(rows[0]["skipped"]) == 3
    saved = checkpoint.load(out / "checkpoint.npz")
    progress = saved.about["progress"]
    assert progress["scale"] == float(rows[-1]["scale"]) < 2.0**24
    assert progress["skipped"] == sum(int(row["skipped"]) for row in rows)
    assert all(array.dtype == np.float32 for array in saved.params.values())


def test_a_run_whose_gradients_overflow_at_any_scale_ends(data_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "FIRST", 2.0)
    monkeypatch.setattr(
        run.Half, "backward", lambda self, dy, cache: (None, overflowing(self.params))
    )
    recipe = Recipe(data=str(data_folder), batch=8, precision="float16", rate=0.001)
    with pytest.raises(run.Diverged) as error:
        Run(recipe, tmp_path / "run", CPU, 1).go()
    said = str(error.value)
    assert said.startswith("gradients overflow however they are scaled in epoch 1; ")
    assert "Try a lower --rate or --precision float32 (float16 ends at 65,504). " in said


def overflowing(params):
    return {name: np.full(array.shape, np.inf, np.float32) for name, array in params.items()}


def test_towers_are_not_trained_in_float16(data_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "demand_shared", lambda *given: None)
    recipe = Recipe(data=str(data_folder), batch=8, precision="float16")
    with pytest.raises(run.InputError, match="two towers are not trained in float16"):
        Run(recipe, tmp_path / "run", CPU, 1, towers=True)


def test_tf32_on_a_cpu_is_said_in_a_line(capsys, data_folder, tmp_path):
    words = ["--precision", "tf32", "--data", str(data_folder), "--out", str(tmp_path / "run")]
    assert main(["train", *words]) == 2
    assert capsys.readouterr().err == (
        "minialexnet: error: precision tf32 is how a GPU multiplies: it needs --device cuda, got "
        '"cpu"\n'
    )
    assert not (tmp_path / "run").exists()
