"""Training with layers of one's own: they work, the run remembers them, errors name their lines."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from minialexnet import checkpoint, strict
from minialexnet.__main__ import main
from minialexnet.errors import InputError
from minialexnet.own import blamed_on, definitions, own_layers
from minialexnet.recipe import Recipe
from minialexnet.run import Run

OWN = '''
import numpy as np

from minialexnet.backend import namespace
from minialexnet.layers import Layer


def helper(x):
    return x > 0


class ReLU(Layer):
    """Slow but right."""

    def forward(self, x, rng=None):
        return namespace(x).maximum(x, 0), helper(x)

    def backward(self, dy, cache):
        return dy * cache, {}


class Unrelated:
    pass
'''


@pytest.fixture
def own(tmp_path):
    """Writes a file of layers: OWN, with one text in the place of another."""

    def write(old="", new="", name="my_layers.py"):
        assert old in OWN
        (tmp_path / name).write_text(OWN.replace(old, new) if old else OWN)
        return tmp_path / name

    return write


@pytest.fixture
def train(data_folder, tmp_path):
    """Trains for an epoch from the command line; the exit code and the run's folder."""
    folder = tmp_path / "run"

    def run(*options):
        start = ["--data", str(data_folder), "--epochs", "1", "--batch", "8", "--rate", "0.01"]
        return main(["train", *start, "--out", str(folder), *map(str, options)])

    run.folder = folder
    return run


def refused(capsys) -> str:
    said = capsys.readouterr().err
    assert said.startswith("minialexnet: error: ") and said.count("\n") == 1
    return said


def test_what_a_file_defines(own):
    path = own()
    assert definitions(path).keys() == {"helper", "ReLU", "Unrelated"}
    assert own_layers(path).keys() == {"ReLU"}


def test_training_with_ones_own_relu_is_training(own, train, tmp_path, capsys):
    assert train("--layers", own()) == 0
    assert "with ReLU of" in capsys.readouterr().out
    mine = checkpoint.load(train.folder / checkpoint.LAST)
    assert mine.about["layers"]["kinds"] == ["ReLU"]
    assert (train.folder / "layers.py").read_text() == OWN
    shutil.move(train.folder, tmp_path / "mine")
    assert train() == 0
    library = checkpoint.load(train.folder / checkpoint.LAST)
    assert "layers" not in library.about
    for name, weight in library.params.items():
        np.testing.assert_array_equal(mine.params[name], weight)


def test_other_layers_are_other_training(own, train, tmp_path):
    assert train("--layers", own("maximum(x, 0)", "maximum(x, 0) * 2")) == 0
    mine = checkpoint.load(train.folder / checkpoint.LAST)
    shutil.move(train.folder, tmp_path / "mine")
    assert train() == 0
    library = checkpoint.load(train.folder / checkpoint.LAST)
    assert not np.array_equal(mine.params["fc8.weight"], library.params["fc8.weight"])


def test_resuming_needs_the_same_file(own, train, capsys):
    path = own()
    assert train("--layers", path, "--schedule", "constant") == 0
    again = ["train", "--resume", "--out", str(train.folder), "--epochs", "2"]
    assert main(again) == 2
    assert "was begun with the layers ReLU of" in capsys.readouterr().err
    assert main([*again, "--layers", str(own("Slow", "Slower", "other.py"))]) == 2
    assert "not the file that" in refused(capsys)
    assert main([*again, "--layers", str(path)]) == 0
    rows = checkpoint.load(train.folder / checkpoint.LAST).about["progress"]["history"]
    assert len(rows) == 2


def test_a_file_that_is_changed_while_it_trains_is_remembered_as_it_was(own, train, monkeypatch):
    path = own()
    save = checkpoint.save_last

    def changed(*given):
        path.write_text("nonsense")
        save(*given)

    monkeypatch.setattr(checkpoint, "save_last", changed)
    assert train("--layers", path) == 0
    assert (train.folder / "layers.py").read_text() == OWN
    remembered = checkpoint.load(train.folder / checkpoint.LAST).about["layers"]["sha256"]
    assert remembered == hashlib.sha256(OWN.encode()).hexdigest()


def test_the_librarys_run_is_not_resumed_with_other_layers(own, run_copy, capsys):
    assert main(["train", "--resume", "--out", str(run_copy), "--layers", str(own())]) == 2
    assert "leave --layers out" in refused(capsys)


def test_evaluating_says_that_the_librarys_layers_run(own, train, capsys):
    assert train("--layers", own()) == 0
    assert main(["evaluate", str(train.folder)]) == 0
    assert "trained with ReLU of" in capsys.readouterr().err


FAULTS = {
    "no such name": ("class ReLU", "class MyReLU", "no class has the name of a layer"),
    "syntax": ("helper(x)\n\n    def", "helper(x\n\n    def", "line 16: "),
    "at import": ("class Unrelated:\n    pass", "1 / 0", "line 22: ZeroDivisionError"),
    "not written": (
        "return namespace(x).maximum(x, 0), helper(x)",
        "raise NotImplementedError()",
        'line 16: not written yet in the layer "relu1"',
    ),
    "in forward": ("namespace(x).maximum(x, 0)", "x.positive()", "line 16: AttributeError"),
    "in a helper": ("return x > 0", "return x > y", "line 9: NameError"),
    "in backward": ("dy * cache, {}", "dy @ cache, {}", "line 19: ValueError"),
    "no cache": ("namespace(x).maximum(x, 0), helper(x)", "x", "(y, cache)"),
    "of a ValueError": ("helper(x)\n\n    def", "int('one')\n\n    def", "line 16: ValueError"),
    "other arguments": (
        "    def forward",
        "    def __init__(self, slope):\n        pass\n\n    def forward",
        "a layer is made with the same arguments as the library's",
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), FAULTS.values(), ids=FAULTS)
def test_faults_in_the_file_are_told_with_their_line(own, train, capsys, old, new, said):
    path = own(old, new)
    assert train("--layers", path) == 2
    words = refused(capsys)
    assert str(path) in words
    assert said in words


def test_they_run_on_a_gpu_if_they_ask_the_array_where_it_lives(own, data_folder, tmp_path):
    recipe = Recipe(data=str(data_folder), epochs=1, batch=8, rate=0.01)
    assert Run(recipe, tmp_path / "run", strict.device(), 1, layers=own()).go()
    host = own("namespace(x).maximum(x, 0)", "np.maximum(x, 0)")
    with pytest.raises(InputError, match="line 16: TypeError"):
        Run(recipe, tmp_path / "other", strict.device(), 1, layers=host).go()


def test_no_file(train, tmp_path, capsys):
    assert train("--layers", tmp_path / "none.py") == 2
    assert "no such file of layers" in refused(capsys)


def test_what_is_not_the_files_fault_stays_what_it_is(own):
    with pytest.raises(KeyError), blamed_on(own()):
        raise KeyError("something else")
    with pytest.raises(InputError, match="something else"), blamed_on(own()):
        raise InputError("something else")


def test_the_recipe_is_no_place_for_them(own, train):
    """recipe.json holds numbers; the file is kept beside it."""
    assert train("--layers", own()) == 0
    assert "layers" not in json.loads((train.folder / "recipe.json").read_text())
