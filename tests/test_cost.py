"""What networks cost by definition, and the tables that say it."""

import re

import numpy as np
import pytest

from minialexnet import networks
from minialexnet.__main__ import main
from minialexnet.cost import costs
from minialexnet.recipes import RECIPES


def rows(name):
    side = networks.SIZES[name]
    net = getattr(networks, name)(np.random.default_rng(0), networks.CLASSES[name])
    return {row.name: row for row in costs(net, (side, side, 3))}


def test_the_paper():
    """The figures of the lecture: parameters, 724 million multiply-adds, conv1's and conv2's MB."""
    found = rows("alexnet")
    assert sum(row.parameters for row in found.values()) == 60_965_224
    assert round(sum(row.multiply_adds for row in found.values()) / 1e6) == 724
    assert found["conv1"].output == (55, 55, 96)
    assert found["conv1"].activation == 4 * 55 * 55 * 96
    assert found["conv1"].unrolled == 4 * 55 * 55 * 11 * 11 * 3
    # Each tower unrolls its own 48 maps.
    assert found["conv2"].unrolled == 2 * 4 * 27 * 27 * 5 * 5 * 48
    assert found["fc6"].unrolled == found["pool1"].unrolled == found["pool1"].multiply_adds == 0
    assert found["conv2"].kind == "2 towers of Conv2D 5 x 5"
    assert found["pool1"].kind == "MaxPool 3 x 3, stride 2"


def test_unshared_filters():
    found = rows("cifar_13pct")
    assert found["local3"].parameters == 36 * (3 * 3 * 64 + 1) * 32
    assert found["local3"].multiply_adds == 36 * 3 * 3 * 64 * 32
    assert found["local3"].unrolled == 4 * 36 * 3 * 3 * 64


def test_describe_prints_every_layer_and_the_sums(capsys):
    assert main(["describe", "cifar_80sec", "--batch", "128"]) == 0
    said = capsys.readouterr().out
    lines = {line.split()[0]: line for line in said.splitlines() if line}
    assert said.startswith("cifar_80sec: The network that reached 26 % error")
    found = rows("cifar_80sec")
    for row in found.values():
        assert " x ".join(map(str, row.output)) in lines[row.name]
    assert "Conv2D 5 x 5" in lines["conv1"]
    assert "2,432" in lines["conv1"]
    assert f"{128 * 32 * 32 * 75 * 32:,}" in lines["conv1"]
    assert f"{128 * 4 * 32 * 32 * 75 / 1e6:.3f}" in lines["conv1"]
    assert "145,578" in lines["in"]
    assert "For 128 pictures of 32 x 32 pixels" in said


def test_recipes_lists_all_with_source_and_error(capsys):
    assert main(["recipes"]) == 0
    said = capsys.readouterr().out
    for name, one in RECIPES.items():
        assert re.search(rf"^{name} +{re.escape(one.source)};", said, re.MULTILINE)
        assert one.error in said and one.measured in said


@pytest.mark.parametrize("name", ["alexnet", "cifar_13pct"])
def test_a_recipe_by_name_is_shown_with_all_its_numbers(capsys, name):
    assert main(["recipes", name]) == 0
    said = capsys.readouterr().out
    one = RECIPES[name]
    assert f"source: {one.source}\n" in said
    assert f"departures: {one.departures}\n" in said
    assert f'"epochs": {one.recipe.epochs},' in said
