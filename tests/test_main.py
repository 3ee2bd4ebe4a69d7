"""The command line: what a user types, and what comes back, above all when it is wrong."""

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tiny
from PIL import Image

from minialexnet import __version__, checkpoint
from minialexnet.__main__ import main
from minialexnet.recipe import Recipe
from minialexnet.recipes import RECIPES
from minialexnet.run import Run


def called(capsys, *words):
    """The exit code, and what was printed to stdout and stderr."""
    capsys.readouterr()
    try:
        code = main(list(map(str, words)))
    except SystemExit as end:
        code = end.code
    return code, *capsys.readouterr()


@pytest.fixture
def workplace(tmp_path, monkeypatch, data_folder, finished_run):
    """The current folder, with data sets and a run in it for a command to spoil."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINIALEXNET_DATA", str(tmp_path / "cache"))
    shutil.copytree(data_folder, "set")
    shutil.copytree(finished_run, "run")
    return tmp_path


@pytest.fixture
def refused(capsys, workplace):
    """Calls a command that must be refused: in one line, which it returns, and without a trace."""

    def refused(*words):
        before = tiny.contents(workplace)
        code, said, errors = called(capsys, *words)
        assert code == 2
        assert said == ""
        assert errors.startswith("minialexnet")
        assert errors.endswith("\n")
        assert errors.count("\n") == 1
        assert tiny.contents(workplace) == before
        return errors

    return refused


def picture(path, mode="RGB", size=(40, 30), **options):
    rng = np.random.default_rng(0)
    bands = len(Image.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0], bands) if bands > 1 else (size[1], size[0])
    Image.fromarray(rng.integers(0, 256, shape, np.uint8), mode).save(path, **options)
    return path


def tree(folder, train=("cat", "dog"), test=("cat", "dog"), test_name="test"):
    """Class folders with two pictures each."""
    for name, classes in (("train", train), (test_name, test)):
        (folder / name).mkdir(parents=True)
        for one in classes:
            (folder / name / one).mkdir()
            for number in range(2):
                picture(folder / name / one / f"{number}.png", size=(10, 12))
    return folder


# ---------------------------------------------------------------- what goes well


def test_train_evaluate_predict_and_resume(capsys, data_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    numbers = ("--epochs", 3, "--batch", 8, "--rate", 0.001)
    code, said, errors = called(capsys, "train", "--data", data_folder, *numbers)
    assert (code, errors) == (0, "")
    lines = said.splitlines()
    assert lines[0].startswith(
        "mini, 130,835 parameters, on coloured noise (24 + 12 images), cpu, "
    )
    assert lines[0].endswith("; run folder runs/mini")
    assert [line.split()[1] for line in lines[1:4]] == ["1/3", "2/3", "3/3"]
    pictures = ["runs/mini/curves.png", "runs/mini/filters.png", "runs/mini/predictions.png"]
    assert lines[4] == f"done; look at {', '.join(pictures)}"

    folder = tmp_path / "runs" / "mini"
    kept = ["best.npz", "checkpoint.npz", "curves.png", "filters.png", "log.csv"]
    kept += ["predictions.png", "previous.npz", "recipe.json"]
    assert sorted(path.name for path in folder.iterdir()) == kept
    assert json.loads((folder / "recipe.json").read_text())["epochs"] == 3
    assert len((folder / "log.csv").read_text().splitlines()) == 4
    for name in pictures:
        with Image.open(name) as one:
            assert np.array(one.convert("L")).std() > 5
            assert min(one.size) > 100

    for words in (
        ["runs/mini"],
        ["runs/mini/checkpoint.npz"],
        ["runs/mini", "--data", data_folder],
    ):
        code, said, errors = called(capsys, "evaluate", *words)
        assert (code, errors) == (0, "")
        last = checkpoint.load(folder / "checkpoint.npz").about["progress"]["history"][-1]
        assert said == f"top-1 error {last['test_error']:.2%} on 12 test images\n"

    before = {name: text for name, text in tiny.contents(folder).items() if ".png" not in name}
    code, said, errors = called(capsys, "train", "--resume", "--out", "runs/mini")
    assert (code, errors) == (0, "")
    assert [line.split()[0] for line in said.splitlines()] == ["mini,", "done;"]
    assert before.items() <= tiny.contents(folder).items()

    # Without --out, the next run goes into a folder of its own.
    monkeypatch.setattr(Run, "go", lambda self, *given: True)
    assert called(capsys, "train", "--data", data_folder)[0] == 0
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["mini", "mini-2"]


def test_best_is_evaluated_where_it_is_asked_for(capsys, run_copy):
    saved = checkpoint.load(run_copy / "best.npz")
    saved.params = {name: np.zeros_like(array) for name, array in saved.params.items()}
    checkpoint.save(run_copy / "best.npz", saved)
    # All scores equal count as wrong.
    assert called(capsys, "evaluate", run_copy, "--best")[1].startswith("top-1 error 100.00%")
    assert not called(capsys, "evaluate", run_copy)[1].startswith("top-1 error 100.00%")


def test_several_runs_are_evaluated_together(capsys, data_folder, finished_run, tmp_path):
    other = tmp_path / "other"
    numbers = ("--epochs", 1, "--batch", 8, "--rate", 0.01, "--seed", 1)
    assert called(capsys, "train", "--data", data_folder, "--out", other, *numbers)[0] == 0
    code, said, errors = called(capsys, "evaluate", finished_run, other)
    assert (code, errors) == (0, "")
    first, second, together = said.splitlines()
    for line, path in ((first, finished_run), (second, other)):
        alone = called(capsys, "evaluate", path)[1]
        assert line == f"{path}: {alone.removesuffix(f' on 12 test images{chr(10)}')}"
    assert re.fullmatch(r"together: top-1 error +[\d.]+% on 12 test images", together)
    # One with itself is the same as alone.
    said = called(capsys, "evaluate", finished_run, finished_run)[1].splitlines()
    assert said[2] == f"together: {first.partition(': ')[2]} on 12 test images"


@pytest.mark.parametrize(
    ("name", "mode", "size"),
    [
        ("colour.jpg", "RGB", (40, 30)),
        ("exact.png", "RGB", (32, 32)),
        ("grey.png", "L", (30, 40)),
        ("alpha.png", "RGBA", (33, 32)),
        ("print.jpg", "CMYK", (64, 20)),
        ("large.png", "RGB", (2000, 1500)),
        ("one.png", "RGB", (1, 1)),
        ("old.bmp", "L", (7, 90)),
        ("scan.tiff", "RGB", (50, 20)),
    ],
)
def test_any_picture_can_be_predicted(capsys, finished_run, tmp_path, name, mode, size):
    path = picture(tmp_path / name, mode, size)
    code, said, errors = called(capsys, "predict", finished_run, path, "--json")
    assert (code, errors) == (0, "")
    (answer,) = json.loads(said)
    assert answer["picture"] == str(path)
    shares = [found["probability"] for found in answer["predictions"]]
    assert sorted(found["class"] for found in answer["predictions"]) == list(tiny.CLASSES)
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)
    code, plain, _ = called(capsys, "predict", finished_run, path)
    expected = [f"  {one['probability']:7.2%}  {one['class']}" for one in answer["predictions"]]
    assert plain.splitlines() == [str(path), *expected]


def test_pictures_are_told_apart_and_answered_in_their_order(capsys, data_folder, tmp_path):
    """The training pictures, which the run has learned by heart, as files."""
    run = tmp_path / "run"
    words = ("--data", data_folder, "--out", run, "--epochs", 30, "--batch", 8, "--rate", 0.02)
    assert called(capsys, "train", *words)[0] == 0
    split = tiny.dataset().train
    paths = [tmp_path / f"{n}.png" for n in (2, 0, 1)]
    for path in paths:
        Image.fromarray(split.images[int(path.stem)]).save(path)
    code, said, _ = called(capsys, "predict", run, *paths, "--json")
    assert code == 0
    answers = json.loads(said)
    assert [answer["picture"] for answer in answers] == list(map(str, paths))
    best = [answer["predictions"][0]["class"] for answer in answers]
    assert best == [tiny.CLASSES[n] for n in (2, 0, 1)]


def test_five_of_many_classes_are_predicted(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    data = tiny.prepared(tmp_path / "data", classes=12)
    words = ("train", "--data", data, "--out", tmp_path / "run", "--epochs", 1, "--batch", 24)
    assert called(capsys, *words)[0] == 0
    path = picture(tmp_path / "x.png")
    (answer,) = json.loads(called(capsys, "predict", tmp_path / "run", path, "--json")[1])
    assert len(answer["predictions"]) == 5
    said = called(capsys, "evaluate", tmp_path / "run")[1].splitlines()
    assert [line.split()[0] for line in said] == ["top-1", "top-5"]


def test_prepare_folder_makes_what_train_takes(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "pictures", lambda self: None)
    source = tree(tmp_path / "pictures", test_name="val")
    out = tmp_path / "set"
    words = ("prepare", "folder", source, out, "--size", 32, "--processes", 1)
    code, said, errors = called(capsys, *words)
    assert (code, errors) == (0, "")
    next_step = f"train on it with: minialexnet train --data {out}"
    assert said.splitlines()[-1] == f"{out}: 4 + 4 images of 2 classes; {next_step}"
    words = ("train", "--data", out, "--out", tmp_path / "run", "--epochs", 1)
    assert called(capsys, *words)[0] == 0


def test_a_folder_of_data_is_remembered_by_its_full_path(capsys, workplace, monkeypatch, tmp_path):
    monkeypatch.setattr(Run, "go", lambda self, *given: True)
    assert called(capsys, "train", "--data", "set", "--out", "new", "--epochs", 1)[0] == 0
    assert json.loads((workplace / "new" / "recipe.json").read_text())["data"] == str(
        workplace / "set"
    )
    assert called(capsys, "train", "--resume", "--out", "new", "--data", "set")[0] == 0
    (workplace / "elsewhere").mkdir()
    monkeypatch.chdir(workplace / "elsewhere")
    assert called(capsys, "train", "--resume", "--out", "../new", "--epochs", 1)[0] == 0


def test_ctrl_c_outside_of_training_is_no_traceback(capsys, data_folder, tmp_path, monkeypatch):
    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr("minialexnet.data.load", interrupted)
    code, _, errors = called(capsys, "train", "--data", data_folder, "--out", tmp_path / "run")
    assert (code, errors) == (130, "minialexnet: interrupted\n")
    assert tiny.contents(tmp_path) == {}


def test_the_program_can_be_called_as_a_module(finished_run):
    command = [sys.executable, "-m", "minialexnet"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60)
    assert (version.returncode, version.stdout) == (0, f"{__version__}\n")
    wrong = subprocess.run(
        [*command, "predict", str(finished_run), "nothing.png"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("minialexnet: error: nothing.png: ")
    assert wrong.stderr.count("\n") == 1


# ---------------------------------------------------------------- help


def test_help_shows_every_option_of_the_recipe_with_its_default(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "1000")
    code, said, _ = called(capsys, "train", "--help")
    assert code == 0
    said = " ".join(said.split())
    special = {
        "drop_at": "8 11",
        "scale": "0.015625",
        "flip": "no",
        "colour_tone": "no",
        "rates": "'*.bias=2'",
        "decays": "'*.bias=0'",
    }
    for item in dataclasses.fields(Recipe):
        default = special.get(item.name, getattr(Recipe(), item.name))
        option = re.escape(f"--{item.name.replace('_', '-')} ")
        text = re.escape(f" {item.metadata['help']} (mini: {default})")
        # Between them stands what the option takes: NAME, NUMBER, [EPOCH ...]; or its opposite.
        between = r"--no-[a-z-]+" if isinstance(getattr(Recipe(), item.name), bool) else ""
        option = option[:-2] + "," if between else option
        assert re.search(rf"{option} ?[A-Z=.\[\] ]*{between}{text}", said), item.name
    assert f"--recipe NAME one of {', '.join(RECIPES)} (mini)" in said


@pytest.mark.parametrize(
    "words",
    [
        [],
        *[[name] for name in ("evaluate", "predict", "prepare", "recipes", "describe")],
        *[[name] for name in ("import", "export", "bench")],
        *[["prepare", source] for source in ("folder", "imagenet", "cifar10", "check")],
    ],
)
def test_every_command_has_help(capsys, words):
    code, said, errors = called(capsys, *words, "--help")
    assert (code, errors) == (0, "")
    assert said.startswith(f"usage: {' '.join(['minialexnet', *words])} ")


# ---------------------------------------------------------------- what is refused

WRONG_WORDS = {
    "": "COMMAND",
    "trian": "trian",
    "train --recipe paper": 'unknown recipe "paper": expected one of mini, cifar_80sec',
    "train --data digits": 'unknown data "digits": expected shapes, cifar10, or a folder',
    "train --data cifar10": "CIFAR-10 is not prepared yet",
    "train --data run": "run: not a prepared data set, train_images.npy is missing",
    "train --data set/meta.json": 'unknown data "set/meta.json"',
    "train --data set --network resnet": "mini, one_tower, one_tower_norm, got resnet",
    "train --data set --init xavier": "init should be one of table, paper, as_run, he, lsuv, got",
    "train --data set --crop 33": "crop should be at most 32, the pictures of ",
    "train --data set --crop 5": '"mini" does not take pictures of 5 x 5 pixels',
    "train --data set --crop -1": "crop should be 0 or more, got -1",
    "train --data set --crops ten": "crops should be center without a --crop, got ten",
    "train --data set --crops nine": "crops should be one of center, ten, got nine",
    "train --data set --scale 1 2": "scale should be one number, or one for each of R, G, B, got",
    "train --recipe alexnet": "ImageNet cannot be downloaded by a program: prepare your copy",
    "recipes paper": 'unknown recipe "paper": expected one of mini, cifar_80sec',
    "describe resnet": 'unknown network "resnet": expected one of alexnet, alexnet_as_run',
    "describe mini --batch 0": "--batch should be 1 or more, got 0",
    "train --data set --schedule falling": "schedule should be one of constant, steps, ",
    "train --data set --epochs 0": "epochs should be 1 or more, got 0",
    "train --data set --epochs many": "argument --epochs: invalid int value: 'many'",
    "train --data set --epochs": "argument --epochs: expected one argument",
    "train --data set --rate -1": "rate should be a number above 0, got -1.0",
    "train --data set --rate nan": "rate should be a number above 0, got nan",
    "train --data set --rate inf": "rate should be a number above 0, got inf",
    "train --data set --batch 0": "batch should be 1 or more, got 0",
    "train --data set --batch 8.5": "argument --batch: invalid int value: '8.5'",
    "train --data set --momentum 1": "momentum should be 0 or more and below 1, got 1.0",
    "train --data set --seed -3": "seed should be 0 or more, got -3",
    "train --data set --engine fast": "engine should be one of plain, sliced, winograd, got fast",
    "train --data set --threads 0": "--threads should be 1 or more, got 0",
    "train --data set --save-minutes nan": "--save-minutes should be 0 or more, got nan",
    "train --data set --rates conv9.*=0": 'no parameter is named "conv9.*"',
    "train --data set --rates conv1": 'expected PATTERN=NUMBER, got "conv1"',
    "train --data set --schedule dexp": "final should be a number above 0, got 0.0",
    "train --data set --tint red": "unrecognized arguments: --tint red",
    "train --data set --epoch 3": "unrecognized arguments: --epoch 3",
    "train --data set --device tpu": 'unknown device "tpu": expected cpu, cuda or cuda:N',
    "train --data set --device cuda:x": 'unknown device "cuda:x": expected cpu, cuda or cuda:N',
    "train --data set --out run": "run holds a run already",
    "train --data set --out set/meta.json": "set/meta.json cannot be made: ",
    "train --data set --out set/meta.json/x": "set/meta.json/x cannot be made: Not a directory",
    "train --resume": "--resume needs --out RUN",
    "train --resume --out nowhere": "nowhere holds no run: checkpoint.npz is missing",
    "train --resume --out set": "set holds no run: checkpoint.npz is missing",
    "train --resume --out run --epochs 3": "run was begun with epochs 2, not 3",
    "train --resume --out run --rates *=1": "run was begun with rates {'*.bias': 2.0}, not {'*'",
    "train --resume --out run --drop-at 1": "run was begun with drop_at (8.0, 11.0), not (1.0,)",
    "train --resume --out run --recipe mini": "leave --recipe out",
    "evaluate nowhere": "nowhere: no such run; minialexnet train makes one",
    "evaluate set": "set holds no run: checkpoint.npz is missing",
    "evaluate set/meta.json": "set/meta.json: not a checkpoint",
    "evaluate run --data digits": 'unknown data "digits"',
    "evaluate run --device tpu": 'unknown device "tpu"',
    "evaluate run --threads -1": "--threads should be 1 or more, got -1",
    "evaluate run --crops nine": "--crops should be one of center, ten, got nine",
    "evaluate run --crops ten": '"mini" was trained on whole pictures',
    "predict run": "predict needs a run and pictures, got run alone",
    "predict --pretrained imagenet x.png": 'no pretrained network "imagenet": expected one of',
    "predict run nothing.png": "nothing.png: ",
    "predict run set": "set: ",
    "predict run run/log.csv": "run/log.csv: ",
    "predict run run/curves.png nothing.png": "nothing.png: ",
    "predict nowhere run/curves.png": "nowhere: no such run; minialexnet train makes one",
    "prepare": "SOURCE",
    "prepare folder nowhere out": "nowhere: no such folder",
    "prepare folder set out": "set: expected a folder train in it, got none",
    "prepare folder nowhere run": "run already holds files",
    "prepare folder nowhere out --size 2": "expected a size of 8 ... 1024 pixels, got 2",
    "prepare folder nowhere out --processes 0": "expected 1 process or more, got 0",
    "prepare cifar10 nowhere --out out": "nowhere: no such file or folder",
    "prepare cifar10 set --out out": "set: ",
}


@pytest.mark.parametrize("words", WRONG_WORDS)
def test_wrong_words_are_refused_in_a_line_that_names_them(refused, words):
    assert WRONG_WORDS[words] in refused(*words.split())


def broken(path):
    path.write_bytes(path.read_bytes()[:-40])


WRONG_TREES = {
    "without classes": (
        lambda src: [shutil.rmtree(path) for path in src.glob("*/*")],
        "src/train: expected one folder a class, two or more, got 0",
    ),
    "of one class": (
        lambda src: [shutil.rmtree(path) for path in src.glob("*/dog")],
        "src/train: expected one folder a class, two or more, got 1",
    ),
    "without test pictures": (
        lambda src: shutil.rmtree(src / "test"),
        "src: expected a folder test or val in it, got none",
    ),
    "with an empty class": (
        lambda src: [path.unlink() for path in (src / "train" / "dog").iterdir()],
        "src/train/dog: expected pictures",
    ),
    "with another class to train on": (
        lambda src: shutil.copytree(src / "train" / "cat", src / "train" / "cow"),
        "src: classes without test pictures: cow",
    ),
    "with another class to be tested on": (
        lambda src: shutil.copytree(src / "test" / "cat", src / "test" / "cow"),
        "src: classes without training pictures: cow",
    ),
}


@pytest.mark.parametrize("kind", WRONG_TREES)
def test_wrong_folders_of_pictures_are_refused(refused, workplace, kind):
    spoil, expected = WRONG_TREES[kind]
    spoil(tree(workplace / "src"))
    assert expected in refused("prepare", "folder", "src", "out", "--processes", 1)


BROKEN_PICTURES = {
    "an empty one": (
        lambda src: (src / "test" / "cat" / "1.png").write_bytes(b""),
        "src/test/cat/1.png: the file is empty; ",
    ),
    "a broken one": (
        lambda src: broken(src / "train" / "dog" / "0.png"),
        "src/train/dog/0.png: broken picture: ",
    ),
    "text": (
        lambda src: (src / "train" / "cat" / "0.png").write_text("a cat"),
        "src/train/cat/0.png: ",
    ),
}


@pytest.mark.parametrize("kind", BROKEN_PICTURES)
def test_broken_pictures_stop_it_until_they_are_left_out(capsys, workplace, kind):
    spoil, expected = BROKEN_PICTURES[kind]
    spoil(tree(workplace / "src"))
    words = ("prepare", "folder", "src", "out", "--processes", 1)
    code, _, errors = called(capsys, *words)
    assert code == 2
    assert errors.startswith(f"minialexnet: error: {expected}")
    assert errors.count("\n") == 1
    assert not (workplace / "out").exists()
    code, said, errors = called(capsys, *words, "--skip-broken")
    assert (code, errors) == (0, "")
    assert " images of 2 classes (1 broken ones left out, see report.json); train on" in said
    assert not (workplace / "out.unfinished").exists()


def test_a_folder_of_pictures_to_train_on_must_be_prepared_first(refused, workplace):
    tree(workplace / "src")
    assert "src: not a prepared data set" in refused("train", "--data", "src")


def changed(name, change):
    def spoil(folder):
        tiny.foreign(folder)
        np.save(folder / name, change(np.load(folder / name)))

    return spoil


WRONG_SETS = {
    "pictures of floats": (
        changed("train_images.npy", lambda a: a.astype(np.float32)),
        "train_images.npy: expected (N, H, W, 3) uint8, got (24, 32, 32, 3) float32",
    ),
    "grey pictures": (
        changed("test_images.npy", lambda a: a[..., 0]),
        "test_images.npy: expected (N, H, W, 3) uint8, got (12, 32, 32) uint8",
    ),
    "labels of floats": (
        changed("test_labels.npy", lambda a: a / 2),
        "test_labels.npy: expected (N,) integers, got (12,) float64",
    ),
    "a matrix of labels": (
        changed("train_labels.npy", lambda a: a[:, None]),
        "train_labels.npy: expected (N,) integers, got (24, 1) int64",
    ),
    "a label too high": (changed("train_labels.npy", lambda a: a + 1), "train_labels.npy: "),
    "a label too low": (changed("test_labels.npy", lambda a: a - 1), "test_labels.npy: "),
    "fewer labels": (changed("train_labels.npy", lambda a: a[:-1]), "24 train images, but 23 "),
    "other sizes to be tested on": (changed("test_images.npy", lambda a: a[:, :30]), "(30, 32, 3)"),
    "another mean": (changed("mean_image.npy", lambda a: a[:3]), "mean_image.npy: expected"),
    "a truncated array": (lambda set: broken(set / "train_images.npy"), "train_images.npy: "),
    "pickled labels": (
        changed("train_labels.npy", lambda a: a.astype(object)),
        "train_labels.npy: ",
    ),
    "no meta.json": (lambda set: (set / "meta.json").unlink(), "meta.json is missing"),
    "a broken meta.json": (lambda set: broken(set / "meta.json"), "meta.json: broken file"),
    "no pictures": (lambda set: (set / "test_images.npy").unlink(), "test_images.npy is missing"),
}


@pytest.mark.parametrize("kind", WRONG_SETS)
@pytest.mark.parametrize("command", ["train --data set", "evaluate run --data set"])
def test_broken_data_are_refused(refused, workplace, kind, command):
    spoil, expected = WRONG_SETS[kind]
    spoil(workplace / "set")
    assert expected in refused(*command.split())


@pytest.mark.parametrize(
    "command", ["evaluate run", "predict run run/curves.png", "train --resume --out run"]
)
def test_a_broken_checkpoint_is_refused(refused, workplace, command):
    path = workplace / "run" / "checkpoint.npz"
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 4]) + whole[middle + 1 :]
    before = workplace / "run" / "previous.npz"
    for damaged in (b"", whole[:1000], whole[:-1], flipped):
        for other in (damaged, None):
            path.write_bytes(damaged)
            before.unlink(missing_ok=True) if other is None else before.write_bytes(other)
            assert "run/checkpoint.npz: " in (line := refused(*command.split()))
            assert "damaged" in line
            assert ("run/previous.npz: " in line) == (other is not None)


def test_the_state_before_is_used_where_the_last_is_damaged(capsys, workplace):
    path = workplace / "run" / "checkpoint.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    for words in (["evaluate", "run"], ["predict", "run", "run/curves.png"]):
        code, _, errors = called(capsys, *words)
        assert code == 0
        assert errors.startswith("warning: run/checkpoint.npz: not a checkpoint, or a damaged one")
        assert errors.endswith("; run/previous.npz is used instead\n")
    before = (workplace / "run" / "previous.npz").read_bytes()
    code, said, errors = called(capsys, "train", "--resume", "--out", "run")
    assert (code, errors) == (0, "")
    warning = said.splitlines()[0]
    assert warning.startswith("warning: run/checkpoint.npz: not a checkpoint, or a damaged one")
    assert warning.endswith("; going on from run/previous.npz, epoch 2, step 0")
    # What was lost has been done again, and the good state was not pushed out by the damaged one.
    assert path.read_bytes() == whole
    assert (workplace / "run" / "previous.npz").read_bytes() == before


@pytest.mark.parametrize(
    "command", ["evaluate run", "predict run run/curves.png", "train --resume --out run"]
)
def test_a_checkpoint_of_another_network_is_refused(refused, workplace, command):
    path = workplace / "run" / "checkpoint.npz"
    saved = checkpoint.load(path)
    saved.about["recipe"]["network"] = "cifar_80sec"
    checkpoint.save(path, saved)
    line = refused(*command.split())
    assert "run/checkpoint.npz: a checkpoint of another network: conv1.weight should be" in line
    del saved.about["recipe"]["network"]
    saved.about["recipe"]["tint"] = "red"
    checkpoint.save(path, saved)
    assert "run/checkpoint.npz: not a recipe of this version" in refused(*command.split())


def test_data_that_the_run_did_not_learn_are_refused(refused, workplace):
    tiny.prepared(workplace / "many", classes=12)
    tiny.prepared(workplace / "large", size=40)
    line = refused("evaluate", "run", "--data", "many")
    assert (
        "many has 12 classes (class0, class1, class2, class3, class4, ...), run learned 3" in line
    )
    line = refused("evaluate", "run", "--data", "large")
    assert "large has pictures of 40 x 40 pixels, run learned from 32 x 32" in line


def test_the_runs_own_data_are_named_where_they_have_changed(refused, workplace):
    path = workplace / "run" / "checkpoint.npz"
    saved = checkpoint.load(path)
    saved.about["recipe"]["data"] = str(tiny.prepared(workplace / "many", classes=12))
    checkpoint.save(path, saved)
    assert f"{workplace / 'many'} has 12 classes" in refused("evaluate", "run")


def test_pictures_that_the_network_cannot_take_are_refused(refused, workplace):
    tiny.prepared(workplace / "small", size=8)
    assert '"mini" does not take pictures of 8 x 8 pixels' in refused("train", "--data", "small")


@pytest.mark.parametrize(
    "command", ["train --data set", "evaluate run", "predict run run/curves.png"]
)
def test_a_gpu_without_cupy_or_without_a_driver_is_refused(refused, monkeypatch, command):
    words = (*command.split(), "--device", "cuda")
    monkeypatch.setitem(sys.modules, "cupy", None)
    line = refused(*words)
    assert "needs CuPy, which is not installed: pip install" in line
    assert "cupy-cuda13x[ctk]" in line
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(is_available=lambda: False))
    line = refused(*words)
    assert "CuPy is installed but finds no usable NVIDIA GPU; install the NVIDIA driver" in line


def test_a_gpu_that_is_not_there_is_refused(refused, monkeypatch):
    runtime = SimpleNamespace(getDeviceCount=lambda: 2)
    fake = SimpleNamespace(is_available=lambda: True, cuda=SimpleNamespace(runtime=runtime))
    monkeypatch.setitem(sys.modules, "cupy", fake)
    line = refused("train", "--data", "set", "--device", "cuda:2")
    assert 'device "cuda:2": this machine has GPUs 0 to 1' in line


def test_a_run_may_go_on_for_longer(capsys, data_folder, tmp_path):
    """Two epochs and two more are four, to the bit, where the schedule allows it."""
    numbers = ("--batch", 8, "--schedule", "steps", "--drop-at", 1, 3)
    long, short = tmp_path / "long", tmp_path / "short"
    for out, epochs in ((long, 4), (short, 2)):
        words = ("--data", data_folder, "--out", out, "--epochs", epochs, *numbers)
        assert called(capsys, "train", *words)[0] == 0
    assert called(capsys, "train", "--resume", "--out", short, "--epochs", 4)[0] == 0
    ours, theirs = (checkpoint.load(run / "checkpoint.npz") for run in (short, long))
    assert tiny.same(ours.params, theirs.params)
    assert tiny.same(ours.velocity, theirs.velocity)
    assert ours.about["recipe"] == theirs.about["recipe"]
    code, _, said = called(capsys, "train", "--resume", "--out", short, "--epochs", 3)
    assert code == 2
    assert "was begun with epochs 4, not 3" in said


# ---------------------------------------------------------------- words and settings


def test_options_may_stand_between_the_paths(capsys, workplace):
    picture = "run/curves.png"
    expected = called(capsys, "predict", "run", picture, picture, "--json")
    assert expected[0] == 0
    for words in (
        ("predict", "run", "--json", picture, picture),
        ("predict", "--json", "run", picture, picture),
        ("predict", "run", picture, "--json", picture),
    ):
        assert called(capsys, *words) == expected


def test_numpy_is_not_imported_before_the_processor_is_settled():
    """OpenBLAS reads its settings when it is loaded."""
    code = "import sys, minialexnet.__main__; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_too_little_memory_is_one_line(refused, monkeypatch):
    def hungry(name):
        raise MemoryError("Unable to allocate 15.3 GiB")

    monkeypatch.setattr("minialexnet.data.load", hungry)
    said = refused("train", "--data", "set")
    assert "there is not enough memory for that (Unable to allocate 15.3 GiB)" in said
