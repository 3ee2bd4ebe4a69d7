"""The network that comes along: small, whole, and at once of use."""

import json

import matplotlib
import numpy as np
import pytest

from minialexnet import checkpoint
from minialexnet.__main__ import main
from minialexnet.data.cifar10 import CLASSES
from minialexnet.errors import InputError
from minialexnet.pretrained import PRETRAINED, pretrained
from minialexnet.recipe import from_dict
from minialexnet.recipes import published

PHOTO = f"{matplotlib.get_data_path()}/sample_data/grace_hopper.jpg"


@pytest.mark.parametrize("name", PRETRAINED)
def test_it_is_small_and_whole(name):
    assert pretrained(name).stat().st_size < 1_000_000
    saved = checkpoint.load(pretrained(name))
    assert saved.velocity == {}
    assert all(np.isfinite(array).all() for array in saved.params.values())


def test_it_is_the_recipes_network_at_the_recipes_end():
    saved = checkpoint.load(pretrained("cifar10"))
    recipe = from_dict(saved.about["recipe"], "cifar10")
    expected = published("cifar_18pct").recipe
    assert recipe == expected
    assert len(saved.about["progress"]["history"]) == expected.epochs
    assert saved.about["progress"]["history"][-1]["test_error"] < 0.21
    assert saved.about["data"]["classes"] == list(CLASSES)


def test_it_predicts(capsys):
    assert main(["predict", "--pretrained", "cifar10", "--json", PHOTO, PHOTO]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert len(answers) == 2
    for answer in answers:
        shares = [one["probability"] for one in answer["predictions"]]
        assert {one["class"] for one in answer["predictions"]} < set(CLASSES)
        assert shares == sorted(shares, reverse=True)
        assert 0.5 < sum(shares) <= 1


def test_another_name_is_refused():
    with pytest.raises(InputError, match='no pretrained network "imagenet": expected one of cif'):
        pretrained("imagenet")
