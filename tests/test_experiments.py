"""The experiments: what each setting changes, what a row says, nothing trained twice."""

from dataclasses import replace

import numpy as np
import pytest
import tiny

from minialexnet import backend, networks
from minialexnet.__main__ import main
from minialexnet.data import load
from minialexnet.evaluate import error_rates
from minialexnet.experiments import EXPERIMENTS, Experiment, Training, relu, results
from minialexnet.experiments.base import RECIPE, best_rows, each
from minialexnet.experiments.overlap import side_by_side
from minialexnet.experiments.training import chosen, fingerprint, row_of
from minialexnet.layers import Conv2D, Dropout, Linear, LocalResponseNorm, ReLU

CPU = backend.device("cpu")
QUICK = replace(RECIPE, epochs=2, batch=8)


def settings(name):
    return {one.setting: one for one in EXPERIMENTS[name].plan([], [0])}


def made(training):
    rng = np.random.default_rng(0)
    return networks.four_layers(rng, 10, **training.network)


def kinds(net):
    return [type(layer) for layer in net.layers.values()]


def shapes(training, side=32):
    return list(made(training).shapes((side, side, 3)).values())


# ---------------------------------------------------------------- what is compared


def test_overlap_changes_the_windows_and_no_map():
    over, beside = settings("overlap").values()
    assert made(beside).layers["pool1"].kernel == made(beside).layers["pool1"].stride == 2
    assert made(over).layers["pool2"].kernel == 3
    assert shapes(over) == shapes(beside)
    assert side_by_side(3, 2, True).ceil


def test_norm_is_the_only_difference_of_lrn():
    without, with_norm = (kinds(made(one)) for one in settings("lrn").values())
    assert with_norm.count(LocalResponseNorm) == 2
    assert [kind for kind in with_norm if kind is not LocalResponseNorm] == without


def test_dropout_drops_so_much():
    for name, one in settings("dropout").items():
        drops = [layer.rate for layer in made(one).layers.values() if isinstance(layer, Dropout)]
        assert drops == ([float(name)] if float(name) else [])


def test_width_scales_every_hidden_layer():
    def sizes(one):
        layers = made(one).layers.values()
        return [getattr(la, "filters", 0) or la.units for la in layers if la.params]

    assert {name: sizes(one) for name, one in settings("width").items()} == {
        "0.5": [16, 32, 128, 10],
        "1": [32, 64, 256, 10],
        "2": [64, 128, 512, 10],
    }
    assert any(isinstance(layer, Conv2D | Linear) for layer in made(Training("")).layers.values())


def test_augmentation_sees_parts_of_one_size():
    everything = load_like_cifar()
    for one in settings("augment").values():
        part = chosen(everything, one)
        see = one.recipe.seen(part.mean, CPU)
        assert see.mean.shape == (28, 28, 3)
        look = one.recipe.looks(part, 0)
        views = look.views(0, 200)
        random_parts = len(set(views.tops)) > 1
        assert random_parts == one.setting.startswith("crops")
        assert views.mirrored.any() == (one.setting != "none")
        assert (views.shifts is not None) == one.setting.endswith("colour")
        assert shapes(one, 28)[-1] == (10,)


def load_like_cifar():
    return tiny.dataset(train=60, test=20, size=32)


def test_fewer_pictures_take_as_many_steps():
    steps = {name: one.recipe.epochs * one.pictures for name, one in settings("data").items()}
    assert list(map(int, steps)) == [5_000, 10_000, 25_000, 50_000]
    assert set(steps.values()) == {300_000}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_trainings_differ_in_what_their_rows_say(name):
    plan = EXPERIMENTS[name].plan([], [0, 1, 2])
    assert len({one.key for one in plan}) == len(plan)


# ---------------------------------------------------------------- the race


def row(name, rate, ended="target", steps=100, seed=0, error=0.2):
    return {
        "setting": name,
        "rate": rate,
        "seed": seed,
        "ended": ended,
        "steps": steps,
        "train_error": error,
    }


def tried(name, *rows):
    rates = relu.ACTIVATIONS[name][1]
    return [row(name, rate, *what) for rate, what in zip(rates, rows, strict=True)]


def test_the_race_begins_with_every_rate_from_the_first_seed():
    plan = relu.RELU.plan([], [5, 6])
    assert {one.recipe.seed for one in plan} == {5}
    assert len(plan) == 9
    assert all(one.target == 0.25 and one.recipe.decay == 0 for one in plan)


def test_the_first_to_arrive_runs_again():
    rows = tried("tanh", ("target", 300), ("target", 200), ("cap", 100))
    again = [one for one in relu.RELU.plan(rows, [0, 1, 2]) if one.recipe.seed]
    assert [one.key for one in again] == [("tanh", 0.01, 1), ("tanh", 0.01, 2)]


def test_if_nobody_arrives_the_lowest_error_counts_but_not_of_what_diverged():
    rows = tried("sigmoid", ("cap", 300, 0, 0.5), ("cap", 300, 0, 0.4), ("diverged", 3, 0, 0.1))
    assert relu.best_rate(rows, "sigmoid", 0) == 0.1


def test_no_rate_is_best_before_all_were_tried_or_if_all_diverged():
    assert relu.best_rate(tried("ReLU", ("target",), ("target",), ("cap",))[:2], "ReLU", 0) is None
    assert relu.best_rate(tried("ReLU", *[("diverged",)] * 3), "ReLU", 0) is None


def test_of_a_table_with_several_rates_the_best_of_each_setting_is_kept():
    rows = [
        *(row("wide", 0.01, "end", 100, 0, 0.3), row("wide", 0.003, "end", 100, 0, 0.2)),
        *(row("narrow", 0.01, "end", 100, 0, 0.4), row("narrow", 0.003, "end", 100, 0, 0.5)),
        *(row("wide", 0.003, "end", 100, 1, 0.9), row("narrow", 0.01, "end", 100, 1, 0.9)),
    ]
    assert [(one["setting"], one["rate"], one["seed"]) for one in best_rows(rows)] == [
        *(("wide", 0.003, 0), ("wide", 0.003, 1), ("narrow", 0.01, 0), ("narrow", 0.01, 1)),
    ]


def test_every_width_tries_its_rates_and_goes_on_with_the_best():
    plan = EXPERIMENTS["width"].plan
    assert [one.key for one in plan([], [0, 1])] == [
        (width, rate, 0) for width in ("0.5", "1", "2") for rate in (0.003, 0.01)
    ]
    rows = [row("2", rate, "end", 100, 0, rate) for rate in (0.003, 0.01)]
    assert plan(rows, [0, 1])[-1].key == ("2", 0.003, 1)


# ---------------------------------------------------------------- a row


def test_a_row_says_what_was_found():
    data = load_like_cifar()
    found = row_of(Training("x", replace(QUICK, rate=0.01), pictures=40), data, CPU)
    assert found["epochs"] == 2
    assert found["steps"] == 10
    assert found["ended"] == "end"
    assert found["pictures"] == 40
    assert len(found["train_errors"].split()) == len(found["test_errors"].split()) == 2
    assert found["data"] == fingerprint(data)
    assert list(found) == list(results.COLUMNS)


def test_the_same_training_gives_the_same_row():
    data, one = load_like_cifar(), Training("x", QUICK)
    first, second = row_of(one, data, CPU), row_of(one, data, CPU)
    del first["cpu_seconds"], second["cpu_seconds"]
    assert first == second
    assert row_of(one.seeded(1), data, CPU)["seed"] == 1


def test_errors_at_the_end_are_those_of_the_trained_network(monkeypatch):
    seen = []

    def rates(net, split, see, *rest):
        seen.append((net, split, error_rates(net, split, see, *rest)))
        return seen[-1][2]

    monkeypatch.setattr("minialexnet.experiments.training.error_rates", rates)
    found = row_of(Training("x", QUICK), load_like_cifar(), CPU)
    assert [len(split.labels) for _, split, _ in seen] == [60, 20]
    assert [found["train_error"], found["test_error"]] == [round(r[0], 5) for *_, r in seen]


def test_training_stops_at_the_target(monkeypatch):
    monkeypatch.setattr("minialexnet.experiments.training.RECENT", 3)
    easy = Training("x", replace(QUICK, epochs=40), target=0.3)
    found = row_of(easy, load_like_cifar(), CPU)
    assert found["ended"] == "target"
    assert found["steps"] < 40 * 8
    assert row_of(replace(easy, recipe=QUICK, target=-1), load_like_cifar(), CPU)["ended"] == "cap"


def test_without_a_target_it_goes_on_when_all_is_learnt(monkeypatch):
    monkeypatch.setattr("minialexnet.experiments.training.RECENT", 3)
    easy = Training("x", replace(QUICK, epochs=30, rate=0.003))
    found = row_of(easy, load_like_cifar(), CPU)
    assert found["ended"] == "end" and found["steps"] == 30 * 8
    assert found["train_errors"].endswith("0.0000 0.0000")


def test_what_diverges_is_said_to():
    wild = Training("x", replace(QUICK, rate=1e6, epochs=4))
    assert row_of(wild, load_like_cifar(), CPU)["ended"] == "diverged"


def test_pictures_are_of_every_class():
    data = load_like_cifar()
    order = np.argsort(data.train.labels, kind="stable")
    sorted_by_class = replace(
        data,
        train=replace(data.train, images=data.train.images[order], labels=data.train.labels[order]),
    )
    part = chosen(sorted_by_class, Training("x", pictures=30))
    assert set(part.train.labels) == {0, 1, 2}
    assert len(part.train.labels) == 30


# ---------------------------------------------------------------- the table and the command


@pytest.fixture
def table(tmp_path, monkeypatch, data_folder, at_once):
    """The table of an experiment of two quick settings, on tiny data."""
    quick = each(Training("a", QUICK), Training("b", QUICK, network={"ReLU": ReLU}))
    monkeypatch.setitem(EXPERIMENTS, "lrn", Experiment("a or b", quick))
    return tmp_path / "table.csv"


def run(table, data_folder, *words):
    words = ["experiment", "lrn", "--data", data_folder, "--out", table, "--threads", 1, *words]
    return main(list(map(str, words)))


def test_rows_that_are_there_are_not_trained_again(table, data_folder, capsys, monkeypatch):
    assert run(table, data_folder, "--seeds", 0) == 0
    first = results.rows(table)
    assert [(one["setting"], one["seed"]) for one in first] == [("a", 0), ("b", 0)]
    assert run(table, data_folder, "--seeds", 0, 3) == 0
    second = results.rows(table)
    assert second[:2] == first
    assert [(one["setting"], one["seed"]) for one in second[2:]] == [("a", 3), ("b", 3)]
    monkeypatch.setattr("minialexnet.experiments.training.row_of", None)
    assert run(table, data_folder, "--seeds", 0, 3) == 0
    assert results.rows(table) == second


def test_stopped_between_two_trainings_it_goes_on(table, data_folder, monkeypatch):
    calls = []

    def stopped(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return row_of(*arguments)

    monkeypatch.setattr("minialexnet.experiments.training.row_of", stopped)
    assert run(table, data_folder, "--seeds", 0) == 130
    assert len(results.rows(table)) == 1
    assert run(table, data_folder, "--seeds", 0) == 0
    assert [one["setting"] for one in results.rows(table)] == ["a", "b"]


def test_a_dry_run_says_what_is_left_and_trains_nothing(table, data_folder, capsys):
    assert run(table, data_folder, "--dry-run", "--seeds", 0, 1) == 0
    out = capsys.readouterr().out
    assert "a, rate 0.01, seed 1" in out
    assert "4 trainings known to be left" in out
    assert not table.exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ["experiment", "nonsense"],
            'unknown experiment "nonsense": expected one of relu',
        ),
        (["experiment", "lrn", "--seeds", "1", "1"], "--seeds should be different numbers"),
        (["experiment", "lrn", "--seeds", "-1"], "0 or more, got -1"),
        (["experiment", "lrn", "--out", "none/x.csv"], "there is no folder none"),
        (["experiment", "lrn", "--data", "nowhere"], 'unknown data "nowhere"'),
        (["experiment", "lrn", "--threads", "0"], "--threads should be 1 or more"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(words, reason, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if "--out" not in words:
        words = [*words, "--out", "x.csv"]
    try:
        code = main(words)
    except SystemExit as end:
        code = end.code
    said = capsys.readouterr().err
    assert code == 2
    assert reason in said
    assert said.count("\n") == 1


def test_a_table_of_other_pictures_is_not_mixed(table, data_folder, tmp_path, capsys):
    assert run(table, data_folder, "--seeds", 0) == 0
    before = table.read_bytes()
    other = tiny.prepared(tmp_path / "other", train=30)
    assert run(table, other) == 2
    assert "other pictures (24 + 12" in capsys.readouterr().err
    assert table.read_bytes() == before


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", ",".join(results.COLUMNS) + "\nx\n"])
def test_another_file_is_no_table(content, table, data_folder, capsys):
    table.write_text(content)
    assert run(table, data_folder) == 2
    assert capsys.readouterr().err.count("not a table of results") == 1
    assert table.read_text() == content


def test_a_table_that_cannot_be_written_is_found_out_before_training(
    data_folder, capsys, monkeypatch
):
    def none_is_trained(*_):
        raise AssertionError

    monkeypatch.setattr("minialexnet.experiments.training.row_of", none_is_trained)
    assert run("/proc/none.csv", data_folder) == 2
    said = capsys.readouterr().err
    assert "/proc/none.csv" in said and said.count("\n") == 1


def test_too_few_pictures_are_refused(data_folder):
    with pytest.raises(Exception, match="wants 10,000 training pictures, got 24"):
        row_of(settings("dropout")["0.5"], load(str(data_folder)), CPU)
