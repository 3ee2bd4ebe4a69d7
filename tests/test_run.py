"""A run keeps its folder in order, stops when asked, and goes on as if nothing had happened."""

import csv
import json
import shutil
import signal

import numpy as np
import pytest
import tiny

from minialexnet import checkpoint, run, strict, train
from minialexnet.__main__ import main
from minialexnet.backend import device
from minialexnet.errors import InputError
from minialexnet.layers import Sliced
from minialexnet.recipe import Recipe, from_dict
from minialexnet.run import Run, Stop, for_device, network, vacant

CPU = device("cpu")
TIMING = train.TIMING
FILES = {
    "recipe.json",
    "log.csv",
    "checkpoint.npz",
    "previous.npz",
    "best.npz",
    "curves.png",
    "filters.png",
    "predictions.png",
}


def small(data_folder, **numbers):
    """A recipe of two epochs of three steps."""
    return Recipe(data=str(data_folder), **{"epochs": 2, "batch": 8, "rate": 0.01} | numbers)


def rows(folder):
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def untimed(rows):
    return [{key: value for key, value in row.items() if key not in TIMING} for row in rows]


def equal(one, other):
    """Whether two checkpoints hold the same, but for the time that it took."""
    return (
        tiny.same(one.params, other.params)
        and tiny.same(one.velocity, other.velocity)
        and np.array_equal(one.mean, other.mean)
        and {**one.about, "progress": None} == {**other.about, "progress": None}
        and untimed(one.about["progress"]["history"]) == untimed(other.about["progress"]["history"])
        and one.about["progress"]["epoch"] == other.about["progress"]["epoch"]
        and one.about["progress"]["step"] == other.about["progress"]["step"]
    )


def refusal(*given, **more):
    with pytest.raises(InputError) as caught:
        Run(*given, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- what is kept


def test_the_folder_of_a_run(finished_run, data_folder):
    assert {path.name for path in finished_run.iterdir()} == FILES
    expected = small(data_folder)
    assert from_dict(json.loads((finished_run / "recipe.json").read_text()), "") == expected
    saved = checkpoint.load(finished_run / "checkpoint.npz")
    assert from_dict(saved.about["recipe"], "") == expected
    assert saved.about["data"] == {
        "source": "coloured noise",
        "classes": list(tiny.CLASSES),
        "train": 24,
        "test": 12,
    }
    assert saved.velocity.keys() == saved.params.keys() == network("mini", 3, 0).params.keys()
    assert np.array_equal(saved.mean, tiny.dataset().mean)


def test_the_log_has_a_row_for_each_epoch(finished_run):
    history = checkpoint.load(finished_run / "checkpoint.npz").about["progress"]["history"]
    logged = rows(finished_run)
    assert [row["epoch"] for row in logged] == ["1", "2"]
    numbers = [{key: float(value) for key, value in row.items()} for row in logged]
    assert untimed(numbers) == history
    assert all(row["images_per_s"] > 0 and row["seconds"] > 0 for row in numbers)
    assert all(0 < row["waited"] < 1 for row in numbers)
    assert list(logged[0]) == ["epoch", "rate", "loss", "train_error", "test_error", *TIMING]


def test_more_than_ten_classes_are_told_with_their_top_5_error(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    data = tiny.prepared(tmp_path / "data", classes=12, train=24, test=24)
    assert Run(small(data), tmp_path / "run", CPU, 1).go()
    assert "test_error_top5" in rows(tmp_path / "run")[0]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all("  top-5 " in line for line in lines)


def test_an_epoch_is_a_line(tmp_path, data_folder, capsys, monkeypatch):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    monkeypatch.setattr(train, "perf_counter", iter(range(1000)).__next__)
    assert Run(small(data_folder), tmp_path / "run", CPU, 1).go()
    said, errors = capsys.readouterr()
    assert errors == ""
    for row, line in zip(rows(tmp_path / "run"), said.splitlines(), strict=True):
        assert line.startswith(
            f"epoch {row['epoch']}/2  loss {float(row['loss']):.4f}  train error"
        )
        assert f"train error {float(row['train_error']):6.2%}  " in line
        assert f"test error {float(row['test_error']):6.2%}  8 images/s" in line
        assert line.endswith("0:00:04 left" if row["epoch"] == "1" else "0:00:00 left")


def test_best_is_the_state_with_the_lowest_test_error(tmp_path, data_folder, monkeypatch):
    errors = iter([0.5, 0.25, 0.375, 0.25, 0.5])
    monkeypatch.setattr(train, "wrong_counts", lambda *given: [12 * next(errors)])
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    best = []
    kept = Run.save
    monkeypatch.setattr(
        Run, "save", lambda self, name: best.append((name, self.progress.epoch)) or kept(self, name)
    )
    Run(small(data_folder, epochs=5), tmp_path / "run", CPU, 1).go()
    assert [epoch for name, epoch in best if name == "best.npz"] == [1, 2, 4]
    saved = checkpoint.load(tmp_path / "run" / "best.npz").about["progress"]
    assert (saved["epoch"], saved["step"]) == (4, 0)
    assert [row["test_error"] for row in saved["history"]] == [0.5, 0.25, 0.375, 0.25]


@pytest.mark.parametrize(("minutes", "saves"), [(0, 7), (10, 3)])
def test_a_run_is_saved_at_the_beginning_at_every_epoch_and_every_few_minutes(
    tmp_path, data_folder, monkeypatch, minutes, saves
):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    saved = []
    monkeypatch.setattr(Run, "save", lambda self, name: saved.append(name))
    assert Run(small(data_folder), tmp_path / "run", CPU, 1).go(minutes)
    assert saved.count("checkpoint.npz") == saves


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("name", ["checkpoint.npz", "recipe.json"])
def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path, data_folder, name):
    (tmp_path / name).write_bytes(b"")
    assert refusal(small(data_folder), tmp_path, CPU, 1).startswith(
        f"{tmp_path} holds a run already: "
    )
    assert len(tiny.contents(tmp_path)) == 1


def test_a_run_goes_into_a_folder_with_other_things(tmp_path, data_folder):
    (tmp_path / "notes.txt").write_text("mine")
    Run(small(data_folder), tmp_path, CPU, 1)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "changed", [{"train": 25}, {"test": 13}, {"classes": 4}, {"train": 24, "seed": 9}]
)
def test_a_run_goes_on_with_its_own_pictures_alone(tmp_path, monkeypatch, changed):
    seed = changed.pop("seed", 0)
    data = tiny.prepared(tmp_path / "data")
    Run(small(data), tmp_path / "run", CPU, 1)
    draw = tiny.split
    monkeypatch.setattr(
        tiny, "split", lambda *sizes, **more: draw(*sizes, **{**more, "seed": seed})
    )
    (tmp_path / "data").rename(tmp_path / "before")
    tiny.prepared(tmp_path / "data", **changed)
    before = tiny.contents(tmp_path)
    said = refusal(small(data), tmp_path / "run", CPU, 1, resume=True)
    assert f"{data}: not the pictures that {tmp_path / 'run'} was trained on" in said or (
        changed == {"classes": 4} and "a checkpoint of another network: fc8" in said
    )
    assert tiny.contents(tmp_path) == before


def test_patterns_that_name_no_parameter_are_refused_before_anything_is_made(tmp_path, data_folder):
    for words in ({"rates": {"conv9.*": 0.0}}, {"decays": {"conv9.*": 0.0}}):
        said = refusal(small(data_folder, **words), tmp_path / "run", CPU, 1)
        assert 'no parameter is named "conv9.*"' in said
    assert tiny.contents(tmp_path) == {}


@pytest.mark.parametrize(("size", "layer"), [(8, "pool5"), (64, "fc6")])
def test_pictures_that_do_not_fit_the_network_are_refused(tmp_path, size, layer):
    data = tiny.prepared(tmp_path / "data", size=size)
    said = refusal(small(data), tmp_path / "run", CPU, 1)
    assert said.startswith(f'network "mini" does not take pictures of {size} x {size} pixels: ')
    assert said.endswith(f'in the layer "{layer}"')
    assert not (tmp_path / "run").exists()


def test_a_vacant_folder_is_the_first_that_does_not_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("mini", "mini-2", "mini-3"):
        assert str(vacant("mini")) == f"runs/{name}"
        vacant("mini").mkdir(parents=True)
    assert str(vacant("cifar_80sec")) == "runs/cifar_80sec"


def test_a_network_is_sliced_on_a_processor_alone():
    net = network("mini", 3, 0)
    cut = for_device(net, CPU, "sliced", (32, 32, 3), 2)
    assert isinstance(next(iter(cut.layers.values())), Sliced)
    assert tiny.same(cut.params, net.params)
    assert for_device(net, CPU, "plain", (32, 32, 3), 2) is net
    on_gpu = for_device(net, strict.device(), "sliced", (32, 32, 3), 2)
    assert list(on_gpu.layers) == list(net.layers)
    kinds = [type(layer) for layer in net.layers.values()]
    assert [type(getattr(one, "layer", one)) for one in on_gpu.layers.values()] == kinds


def test_the_weights_depend_on_the_seed():
    assert tiny.same(network("mini", 3, 5).params, network("mini", 3, 5).params)
    assert not tiny.same(network("mini", 3, 5).params, network("mini", 3, 6).params)


# ---------------------------------------------------------------- stopped and taken up again


@pytest.fixture
def ctrl_c():
    """Ctrl-C as in a terminal: a program that was begun in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_stop_takes_the_first_signal_for_a_request_and_the_second_as_usual(ctrl_c):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    for number in (signal.SIGINT, signal.SIGTERM):
        with Stop() as stop:
            assert not stop.asked
            signal.raise_signal(number)
            assert stop.asked
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def interrupted(step):
    """The training loop with a Ctrl-C during that step, counted from where it starts."""

    def loop(*given):
        for number, loss in enumerate(train.train(*given), 1):
            if number == step:
                signal.raise_signal(signal.SIGINT)
            yield loss

    return loop


# Three steps an epoch: after the steps 3 and 6 an epoch ends.
@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_a_run_that_is_interrupted_goes_on_as_if_nothing_had_happened(
    tmp_path, finished_run, data_folder, monkeypatch, step
):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(run, "train", interrupted(step))
        assert Run(small(data_folder), folder, CPU, 1).go() == (step == 6)
    saved = checkpoint.load(folder / "checkpoint.npz").about["progress"]
    assert (saved["epoch"], saved["step"]) == divmod(step, 3)
    assert Run(small(data_folder), folder, CPU, 1, resume=True).go()
    for name in ("checkpoint.npz", "best.npz"):
        assert equal(checkpoint.load(folder / name), checkpoint.load(finished_run / name))
    assert untimed(rows(folder)) == untimed(rows(finished_run))
    kept = {path.name for path in folder.iterdir()}
    assert kept == {name for name in FILES if not name.endswith(".png")}


def test_a_run_interrupted_at_every_step_is_the_undisturbed_one(
    tmp_path, finished_run, data_folder, monkeypatch
):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    monkeypatch.setattr(run, "train", interrupted(1))
    folder = tmp_path / "run"
    done = [Run(small(data_folder), folder, CPU, 1, resume=step > 0).go() for step in range(6)]
    assert done == 5 * [False] + [True]
    for name in ("checkpoint.npz", "best.npz"):
        assert equal(checkpoint.load(folder / name), checkpoint.load(finished_run / name))


def test_equal_runs_have_equal_checkpoints_whatever_the_clock_says(
    tmp_path, finished_run, data_folder, monkeypatch
):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    Run(small(data_folder), tmp_path / "run", CPU, 1).go()
    for name in ("checkpoint.npz", "best.npz", "previous.npz"):
        assert (tmp_path / "run" / name).read_bytes() == (finished_run / name).read_bytes()


def test_times_are_remembered_by_the_log_alone(tmp_path, data_folder, monkeypatch):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(run, "train", interrupted(4))
        Run(small(data_folder), folder, CPU, 1).go()
    first, under_way = rows(folder)
    assert under_way["epoch"] == "1.3333"
    assert under_way["test_error"] == ""
    assert float(under_way["loss"]) > 0
    Run(small(data_folder), folder, CPU, 1, resume=True).go()
    assert rows(folder)[0] == first
    assert rows(folder)[1]["epoch"] == "2"
    (folder / "log.csv").write_text("epoch,loss\n1,what\n")
    again = Run(small(data_folder, epochs=3, schedule="constant"), folder, CPU, 1, resume=True)
    assert again.go()
    assert [row["seconds"] == "" for row in rows(folder)] == [True, True, False]


def test_the_curves_are_drawn_while_it_runs(tmp_path, data_folder, monkeypatch):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    monkeypatch.setattr(run, "DRAW", 0)
    drawn = []
    monkeypatch.setattr(Run, "draw", lambda self, name, figure: drawn.append((name, self.rows())))
    Run(small(data_folder), tmp_path / "run", CPU, 1).go(save_minutes=0)
    assert {name for name, _ in drawn} == {"curves.png"}
    epochs = [[row["epoch"] for row in shown] for _, shown in drawn]
    assert epochs == [[0.3333], [0.6667], [1], [1, 1.3333], [1, 1.6667], [1, 2]]


def test_two_do_not_train_in_one_folder(tmp_path, data_folder, monkeypatch):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    one = Run(small(data_folder), tmp_path / "run", CPU, 1)
    other = Run(small(data_folder), tmp_path / "run", CPU, 1, resume=True)
    said = []

    def meanwhile(*given):
        for loss in train.train(*given):
            with pytest.raises(InputError) as caught:
                other.go()
            said.append(str(caught.value))
            yield loss

    with monkeypatch.context() as patch:
        patch.setattr(run, "train", meanwhile)
        assert one.go()
    assert set(said) == {f"{tmp_path / 'run'}: another process is training here"}


@pytest.mark.parametrize("damage", [lambda whole: whole[:-1], lambda whole: b""])
def test_a_damaged_state_gives_way_to_the_one_before(
    tmp_path, finished_run, data_folder, monkeypatch, capsys, damage
):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(run, "train", interrupted(5))
        Run(small(data_folder), folder, CPU, 1).go(save_minutes=0)
    last = folder / "checkpoint.npz"
    last.write_bytes(damage(last.read_bytes()))
    capsys.readouterr()
    taken_up = Run(small(data_folder), folder, CPU, 1, resume=True)
    said = capsys.readouterr().out
    assert said.startswith(f"warning: {last}: not a checkpoint, or a damaged one")
    assert said.endswith(f"; going on from {folder / 'previous.npz'}, epoch 2, step 1\n")
    good = (folder / "previous.npz").read_bytes()
    taken_up.save("checkpoint.npz")
    # The damaged state did not become the one before.
    assert (folder / "previous.npz").read_bytes() == good
    assert taken_up.go()
    for name in ("checkpoint.npz", "best.npz"):
        assert (folder / name).read_bytes() == (finished_run / name).read_bytes()


def test_without_colours_there_is_no_colour_noise(tmp_path, data_folder):
    path = shutil.copytree(data_folder, tmp_path / "set") / "meta.json"
    meta = json.loads(path.read_text())
    del meta["colours"], meta["checksum"]
    path.write_text(json.dumps(meta))
    said = refusal(small(path.parent, colour=0.1), tmp_path / "run", CPU, 1)
    assert said.startswith(f"{path.parent}: nobody measured how its colours vary")
    assert not (tmp_path / "run").exists()
    Run(small(path.parent), tmp_path / "run", CPU, 1)


# ---------------------------------------------------------------- on another device


def test_a_run_on_the_strict_device_is_that_of_numpy(tmp_path):
    data = tiny.prepared(tmp_path / "data", train=40)
    recipe = small(data, epochs=4, engine="plain")
    for there, name in ((CPU, "host"), (strict.device(), "strict")):
        assert Run(recipe, tmp_path / name, there, 1).go()
    for name in ("checkpoint.npz", "best.npz"):
        ours, theirs = (checkpoint.load(tmp_path / which / name) for which in ("host", "strict"))
        assert equal(ours, theirs)
        assert ours.about["progress"]["epoch"] > 0
    for name in ("filters.png", "predictions.png"):
        assert (tmp_path / "host" / name).read_bytes() == (tmp_path / "strict" / name).read_bytes()


# ---------------------------------------------------------------- memory that does not do


def out_of_memory():
    """CuPy's own error where CuPy is installed; it is a MemoryError."""
    try:
        from cupy.cuda.memory import OutOfMemoryError
    except ImportError:
        return MemoryError("Out of memory allocating 10 bytes (allocated so far: 20 bytes).")
    return OutOfMemoryError(10, 20, 0)


@pytest.mark.parametrize("step", [1, 2, 5])
@pytest.mark.parametrize("limit", [None, "50%"])
def test_out_of_memory_on_a_gpu_says_what_to_try(data_folder, tmp_path, monkeypatch, step, limit):
    given = iter(range(1, 100))

    def failing(self, dy, cache):
        if next(given) == step:
            raise out_of_memory()
        return backward(self, dy, cache)

    backward = run.Network.backward
    monkeypatch.setattr(run.Network, "backward", failing)
    monkeypatch.setattr(train, "TOGETHER", 1)
    monkeypatch.delenv("CUPY_GPU_MEMORY_LIMIT", raising=False)
    if limit:
        monkeypatch.setenv("CUPY_GPU_MEMORY_LIMIT", limit)
    out = tmp_path / "run"
    recipe = small(data_folder, workspace=300)
    with pytest.raises(InputError) as error:
        Run(recipe, out, strict.device(), 1).go(save_minutes=0)
    assert str(error.value) == (
        "strict has not enough memory for steps of 8 images (Out of memory allocating 10 bytes "
        "(allocated so far: 20 bytes).): try --batch 4 or --workspace 150"
        + ("; CUPY_GPU_MEMORY_LIMIT is 50%" if limit else "")
        + f". {out / checkpoint.LAST} is the last state that was saved"
    )
    saved = checkpoint.load(out / checkpoint.LAST)
    progress = saved.about["progress"]
    assert 3 * progress["epoch"] + progress["step"] == step - 1


def test_out_of_memory_on_a_cpu_ends_in_a_line(capsys, data_folder, tmp_path, monkeypatch):
    def failing(self, x, rng=None):
        raise MemoryError("Unable to allocate 15.3 GiB")

    monkeypatch.setattr("minialexnet.layers.Conv2D.forward", failing)
    words = ["--data", str(data_folder), "--out", str(tmp_path / "run"), "--batch", "1"]
    assert main(["train", *words, "--engine", "plain"]) == 2
    assert capsys.readouterr().err.startswith("minialexnet: error: ")


def test_a_run_goes_on_in_a_smaller_workspace(capsys, data_folder, tmp_path):
    words = ["train", "--out", str(tmp_path / "run")]
    more = ["--data", str(data_folder), "--epochs", "1", "--batch", "8", "--schedule", "constant"]
    assert main([*words, *more]) == 0
    assert main([*words, "--resume", "--workspace", "100", "--epochs", "2"]) == 0
    assert run.run_recipe(tmp_path / "run").workspace == 100
    assert main([*words, "--resume", "--workspace", "0"]) == 2
    assert "workspace should be 1 or more, got 0" in capsys.readouterr().err


def test_results_do_not_depend_on_the_workspace_but_for_rounding(data_folder, tmp_path):
    weights = []
    for workspace in (2000, 1):
        one = Run(
            small(data_folder, epochs=1, workspace=workspace),
            tmp_path / str(workspace),
            strict.device(),
            1,
        )
        one.go()
        weights.append({name: one.device.get(array) for name, array in one.net.params.items()})
    # Now and then a rounding turns a ReLU on or off.
    for name, array in weights[0].items():
        limit = 0.01 * abs(array).max()
        np.testing.assert_allclose(array, weights[1][name], rtol=0, atol=limit)
