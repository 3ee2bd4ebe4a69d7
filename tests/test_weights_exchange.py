"""Runs from files of weights, files from runs, and what is said about pictures on the way."""

import json

import numpy as np
import pytest
import tiny
from PIL import Image

from minialexnet import checkpoint, networks
from minialexnet.__main__ import main
from minialexnet.backend import device
from minialexnet.chance import generator
from minialexnet.evaluate import probabilities
from minialexnet.recipe import Recipe
from minialexnet.run import Run
from minialexnet.weights import exchange, layout, safetensors

CPU = device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of mini, begun and not trained, on pictures of three classes cut to 32 pixels."""
    folder = tmp_path_factory.mktemp("exchange")
    data = tiny.prepared(folder / "data", train=24, test=12, size=36)
    Run(Recipe(data=str(data), crop=32, crops="ten", scale=(0.02,)), folder / "run", CPU, 1)
    return folder


def called(capsys, *words):
    code = main(list(map(str, words)))
    said = capsys.readouterr()
    return code, said.out, said.err


def refused(capsys, *words) -> str:
    code, out, errors = called(capsys, *words)
    assert (code, out, errors.count("\n")) == (2, "", 1)
    return errors


def test_a_run_comes_back_as_it_was(capsys, folder, tmp_path):
    file, back = tmp_path / "net.safetensors", tmp_path / "back"
    code, said, _ = called(capsys, "export", folder / "run", file)
    assert code == 0
    assert said.startswith(f"{file}: a state_dict for PyTorch; it takes (N, 3, 32, 32), pixels")
    code, said, _ = called(capsys, "import", file, "--network", "mini", "--out", back)
    assert code == 0
    assert said.startswith(f"{back}: mini, 3 classes; pictures are scaled to 36 x 36 pixels, cut")
    first, second = (checkpoint.load(path / "checkpoint.npz") for path in (folder / "run", back))
    np.testing.assert_array_equal(first.mean, second.mean)
    assert second.about["data"]["classes"] == list(tiny.CLASSES)
    for name, array in first.params.items():
        # The paper's dropout is taken out and put back, which halves and doubles: exact.
        np.testing.assert_array_equal(second.params[name], array, err_msg=name)
    words = ("evaluate", back, "--data", folder / "data")
    assert (
        called(capsys, *words, "--crops", "ten")[1]
        == (called(capsys, "evaluate", folder / "run")[1])
    )


def test_what_is_exported_is_pytorchs_layout_and_says_how_pictures_enter(folder, capsys, tmp_path):
    called(capsys, "export", folder / "run", tmp_path / "net.safetensors")
    tensors, words = safetensors.read(tmp_path / "net.safetensors")
    assert tensors["conv2.weight"].shape == (32, 8, 5, 5)
    assert tensors["fc6.weight"].shape == (128, 432)
    about = json.loads(words["minialexnet"])
    assert (about["network"], about["scale"], about["crop"]) == ("mini", [0.02], 32)
    assert about["classes"] == list(tiny.CLASSES)
    assert words["format"] == "pt"


def test_a_mean_of_one_colour_is_kept_as_that_colour():
    mean = np.full((256, 256, 3), (124, 116.5, 104), np.float32)
    about = exchange.About("mini", ("a", "b"), mean, (1.0, 2.0, 3.0), 227)
    words = exchange._words(about)
    assert len(words) < 300
    again = exchange._said({exchange.ENTRY: words}, "mini")
    np.testing.assert_array_equal(again.mean, mean)
    assert (again.scale, again.crop, again.classes) == (about.scale, about.crop, about.classes)


@pytest.fixture(scope="module")
def torchvision_file(tmp_path_factory):
    """A state_dict with torchvision's names, of 7 classes, and the network that it was."""
    path = tmp_path_factory.mktemp("torchvision") / "alexnet.safetensors"
    net = networks.one_tower(generator("weights", 3), 7)
    tensors = layout.to_torch(net, (224, 224, 3), layout.NAMES["one_tower"])
    safetensors.write(path, tensors)
    return path, net


def test_torchvisions_weights_bring_torchvisions_pictures(capsys, torchvision_file, tmp_path):
    path, net = torchvision_file
    words = ("import", path, "--network", "one_tower", "--out", tmp_path / "run")
    code, said, _ = called(capsys, *words)
    assert code == 0
    assert "one_tower, 7 classes; pictures are scaled to 256 x 256 pixels, cut to 224 x 224" in said
    assert "less 123.675, 116.280, 103.530 (R, G, B), times 0.0171248, 0.017507, 0.0174292" in said
    saved = checkpoint.load(tmp_path / "run" / "checkpoint.npz")
    assert saved.about["data"]["classes"] == [f"class {m}" for m in range(7)]
    picture = np.random.default_rng(0).integers(0, 256, (300, 256, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / "picture.png")
    code, said, _ = called(capsys, "predict", "--json", tmp_path / "run", tmp_path / "picture.png")
    # By hand: the middle 224 pixels, 0 to 1, normalised as torchvision does.
    middle = picture[38:262, 16:240] / 255
    x = (middle - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    scores = net(x[None].astype(np.float32))[0]
    best = json.loads(said)[0]["predictions"][0]
    assert best["class"] == f"class {scores.argmax()}"
    share = np.exp(scores - scores.max())
    assert best["probability"] == pytest.approx(1 / share.sum(), rel=1e-4)


def test_classes_come_from_the_data(capsys, folder, tmp_path):
    called(capsys, "export", folder / "run", tmp_path / "net.safetensors")
    tensors, _ = safetensors.read(tmp_path / "net.safetensors")
    safetensors.write(tmp_path / "plain.safetensors", tensors)
    words = ("--network", "mini", "--data", folder / "data", "--out", tmp_path / "run")
    numbers = ("--mean", 1, 2, 3, "--scale", 0.5, 0.25, 0.125)
    code, said, _ = called(capsys, "import", tmp_path / "plain.safetensors", *words, *numbers)
    assert code == 0
    assert "less 1.000, 2.000, 3.000 (R, G, B), times 0.5, 0.25, 0.125" in said
    saved = checkpoint.load(tmp_path / "run" / "checkpoint.npz")
    assert saved.about["data"]["classes"] == list(tiny.CLASSES)
    assert saved.mean.shape == (32, 32, 3)


def test_caffes_weights_see_blue_first(capsys, tmp_path):
    net = networks.mini(generator("weights", 1))
    params = {name: array + np.float32(0.01) for name, array in net.params.items()}
    towers = {}
    for name, array in params.items():
        layer, _, part = name.rpartition(".")
        towers.setdefault(f"{layer.partition('.')[0]}.{part}", []).append(array)
    joined = {name: np.concatenate(arrays, axis=-1) for name, arrays in towers.items()}
    np.savez(tmp_path / "net.npz", **joined)
    words = ("import", tmp_path / "net.npz", "--network", "mini", "--out", tmp_path / "run")
    code, said, _ = called(capsys, *words)
    assert code == 0
    assert "less 122.679, 116.669, 104.007 (R, G, B), times 1, 1, 1" in said
    found = checkpoint.load(tmp_path / "run" / "checkpoint.npz").params
    np.testing.assert_array_equal(found["conv1.weight"], params["conv1.weight"][:, :, ::-1])
    np.testing.assert_array_equal(found["conv4.b.weight"], params["conv4.b.weight"])


def test_bgr_turns_the_first_layer_round(capsys, folder, tmp_path):
    called(capsys, "export", folder / "run", tmp_path / "net.safetensors")
    words = ("import", tmp_path / "net.safetensors", "--network", "mini", "--bgr")
    assert called(capsys, *words, "--out", tmp_path / "run")[0] == 0
    first, second = (
        checkpoint.load(path / "run" / "checkpoint.npz").params for path in (folder, tmp_path)
    )
    np.testing.assert_array_equal(second["conv1.weight"], first["conv1.weight"][:, :, ::-1])
    np.testing.assert_array_equal(second["conv2.a.weight"], first["conv2.a.weight"])


def test_an_npz_file_stands_for_the_run(capsys, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    words = ("--data", folder / "data", "--epochs", 1, "--crop", 32, "--out", tmp_path / "run")
    assert called(capsys, "train", *words)[0] == 0
    assert checkpoint.load(tmp_path / "run" / "checkpoint.npz").velocity
    assert called(capsys, "export", tmp_path / "run", tmp_path / "net.npz")[0] == 0
    assert checkpoint.load(tmp_path / "net.npz").velocity == {}
    code, said, errors = called(capsys, "evaluate", tmp_path / "net.npz")
    assert (code, errors) == (0, "")
    assert said == called(capsys, "evaluate", tmp_path / "run")[1]
    words = ("import", tmp_path / "net.npz", "--network", "mini", "--out", tmp_path / "again")
    assert "a run of minialexnet already: give it to predict" in refused(capsys, *words)


def test_an_onnx_file_says_how_to_use_it(capsys, folder, tmp_path):
    code, said, _ = called(capsys, "export", folder / "run", tmp_path / "net.onnx")
    assert code == 0
    assert 'takes "pictures", (N, 32, 32, 3) uint8 RGB, gives "scores" and "probabil' in said


def test_onnxruntime_sees_what_we_see(capsys, folder, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    called(capsys, "export", folder / "run", tmp_path / "net.onnx")
    saved = checkpoint.load(folder / "run" / "checkpoint.npz")
    recipe = Recipe(crop=32, scale=(0.02,))
    net = networks.mini(generator("weights", 0), 3)
    net.params = saved.params
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)
    session = runtime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(["probabilities"], {"pictures": images})
    expected = probabilities(net, images, recipe.seen(saved.mean, CPU))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


# ---------------------------------------------------------------- what is refused


def test_wrong_words_are_refused(capsys, folder, torchvision_file, tmp_path):
    path, _ = torchvision_file
    out = ("--out", tmp_path / "run")
    said = refused(capsys, "import", path, "--network", "resnet", *out)
    assert 'unknown network "resnet": expected one of alexnet' in said
    said = refused(capsys, "import", path, "--network", "mini", *out)
    assert f'{path} does not fit network "mini": conv1.weight: expected (16, 3, 5, 5)' in said
    said = refused(capsys, "import", tmp_path / "no.pth", "--network", "mini", *out)
    assert "no.pth: No such file or directory" in said
    said = refused(capsys, "import", path, "--network", "one_tower", "--out", folder / "run")
    assert "holds a run already" in said
    words = ("import", path, "--network", "one_tower", *out)
    assert 'unknown data "digits"' in refused(capsys, *words, "--data", "digits")
    said = refused(capsys, *words, "--data", folder / "data")
    assert "classifier.6.weight: expected 3 classes, got 7" in said
    for numbers in (("nan", 1, 2), (1, 1e39, 2), ("inf", 1, 2)):
        assert "--mean should be three" in refused(capsys, *words, "--mean", *numbers)
    for numbers in ((0, 1, 1), (-1, 1, 1), ("nan", 1, 1)):
        assert "--scale should be three" in refused(capsys, *words, "--scale", *numbers)
    assert not (tmp_path / "run").exists()
    said = refused(capsys, "export", folder / "run", tmp_path / "net.pth")
    assert "net.pth: expected a name that ends in .safetensors, .onnx or .npz" in said
    (tmp_path / "there.onnx").write_text("mine")
    assert "exists already" in refused(capsys, "export", folder / "run", tmp_path / "there.onnx")
    assert (tmp_path / "there.onnx").read_text() == "mine"
    assert "no such run" in refused(capsys, "export", tmp_path / "nowhere", tmp_path / "net.onnx")


def test_a_file_of_another_network_of_ours_is_refused(capsys, folder, tmp_path):
    called(capsys, "export", folder / "run", tmp_path / "net.safetensors")
    words = ("--network", "cifar_18pct", "--out", tmp_path / "run")
    said = refused(capsys, "import", tmp_path / "net.safetensors", *words)
    assert "it says that it is mini" in said


BROKEN = [
    {"size": [10**6, 10**6]},
    {"size": [0, 32]},
    {"size": 3},
    {"mean": "%%%"},
    {"mean": "AAAA"},
    {"mean": [1, 2]},
    {"scale": "x"},
    {"crop": None},
    {"classes": 3},
    {"crop": 99},
    {"crop": -1},
    {"scale": [1, 2]},
    {"scale": [0]},
    {"scale": [1, float("inf"), 1]},
    {"size": [float("inf"), 1]},
    {"size": [32, 40]},
    {"crop": float("inf")},
    {"mean": [float("nan"), 1, 1]},
    {"mean": [1e300, 1, 1]},
    {"classes": []},
    {"classes": "abc"},
]


@pytest.mark.parametrize("changes", BROKEN, ids=str)
def test_a_broken_entry_is_refused(capsys, folder, tmp_path, changes):
    called(capsys, "export", folder / "run", tmp_path / "net.safetensors")
    tensors, words = safetensors.read(tmp_path / "net.safetensors")
    words["minialexnet"] = json.dumps(json.loads(words["minialexnet"]) | changes)
    safetensors.write(tmp_path / "broken.safetensors", tensors, words)
    out = ("--network", "mini", "--out", tmp_path / "run")
    said = refused(capsys, "import", tmp_path / "broken.safetensors", *out)
    assert 'its entry "minialexnet" is broken' in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("changes", [{"size": [40, 40], "crop": 0}, {"size": [20, 20], "crop": 0}])
def test_pictures_that_the_network_does_not_take_are_refused(capsys, folder, tmp_path, changes):
    called(capsys, "export", folder / "run", tmp_path / "net.safetensors")
    tensors, words = safetensors.read(tmp_path / "net.safetensors")
    about = json.loads(words["minialexnet"]) | {"mean": [1, 2, 3]} | changes
    safetensors.write(tmp_path / "other.safetensors", tensors, {"minialexnet": json.dumps(about)})
    out = ("--network", "mini", "--out", tmp_path / "run")
    said = refused(capsys, "import", tmp_path / "other.safetensors", *out)
    assert 'network "mini" does not take pictures of' in said
    assert not (tmp_path / "run").exists()


def test_a_number_of_classes_is_held_against_the_weights(capsys, folder, tmp_path):
    """A claim of a million classes must not ask for the memory that they would take."""
    called(capsys, "export", folder / "run", tmp_path / "net.safetensors")
    tensors, words = safetensors.read(tmp_path / "net.safetensors")
    about = json.loads(words["minialexnet"]) | {"classes": ["x"] * 10**6}
    safetensors.write(tmp_path / "a.safetensors", tensors, {"minialexnet": json.dumps(about)})
    tensors["fc8.bias"] = np.zeros(10**6, np.float32)
    safetensors.write(tmp_path / "b.safetensors", tensors)
    out = ("--network", "mini", "--out", tmp_path / "run")
    said = refused(capsys, "import", tmp_path / "a.safetensors", *out)
    assert "fc8.weight: expected 1000000 classes, got 3" in said
    said = refused(capsys, "import", tmp_path / "b.safetensors", *out)
    assert "fc8.bias: expected (3,), got (1000000,)" in said


def test_a_folder_of_data_is_remembered_by_its_full_path(capsys, folder, tmp_path, monkeypatch):
    called(capsys, "export", folder / "run", tmp_path / "net.safetensors")
    monkeypatch.chdir(folder)
    words = ("--network", "mini", "--data", "data", "--out", tmp_path / "run")
    assert called(capsys, "import", tmp_path / "net.safetensors", *words)[0] == 0
    monkeypatch.chdir(tmp_path)
    assert called(capsys, "evaluate", "run")[0] == 0
