"""The runs of record: they can be begun, and say where they come from."""

import dataclasses
import json

import numpy as np
import pytest

from minialexnet import data, networks
from minialexnet.data.statistics import Colours
from minialexnet.errors import InputError
from minialexnet.experiments.base import RECIPE as EXPERIMENT
from minialexnet.recipe import Recipe, as_json, from_dict
from minialexnet.recipes import RECIPES, published

every_recipe = pytest.mark.parametrize("name", RECIPES)


@every_recipe
def test_it_comes_back_from_its_file(name):
    recipe = published(name).recipe
    assert from_dict(json.loads(as_json(recipe)), "recipe.json") == recipe


def test_every_network_has_a_recipe():
    recipes = [one.recipe for one in RECIPES.values()]
    assert {one.network for one in (*recipes, EXPERIMENT)} == set(networks.__all__)
    assert all(one.recipe.network == name for name, one in RECIPES.items())


@every_recipe
def test_its_pictures_are_as_large_as_the_network_wants(name):
    recipe = published(name).recipe
    assert recipe.data in (*data.NAMES, "imagenet")
    assert (recipe.crop or 32) == networks.SIZES[recipe.network]


class Names:
    """A network's parameters by name, without their numbers."""

    def __init__(self, name):
        from minialexnet import layers

        def cheap(kind):
            def make(*numbers, **settings):
                layer = layers.Layer(weight=np.zeros(0), bias=np.zeros(0))
                layer.input_grad = settings.get("input_grad", True)
                return layer

            return make

        kinds = {kind: cheap(kind) for kind in ("Conv2D", "Linear", "LocallyConnected2D")}
        self.params = getattr(networks, name)(np.random.default_rng(0), 10, **kinds).params


@every_recipe
def test_the_network_has_the_parameters_that_it_names(name):
    recipe = published(name).recipe
    recipe.optimiser().check_patterns(Names(recipe.network).params)


def rates(name, moments):
    rate = published(name).recipe.learning_rate()
    return [rate(moment, []) for moment in moments]


def test_rates_fall_when_the_sources_say():
    assert rates("cifar_18pct", [0, 119.9, 120, 129.9, 130]) == pytest.approx(
        [1e-3, 1e-3, 1e-4, 1e-4, 1e-5]
    )
    assert rates("alexnet_as_run", [24.9, 25, 51, 79]) == pytest.approx([1e-2, 1e-3, 1e-4, 1e-5])
    assert rates("caffe_alexnet", [19.9, 20, 40, 60, 80]) == pytest.approx(
        [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]
    )
    # In 2014: four levels, 250 times less at the end.
    assert rates("one_tower_norm", [0, 22.4, 22.6, 89]) == pytest.approx(
        [1e-2, 1e-2, 1e-2 / 250 ** (1 / 3), 4e-5]
    )


def test_the_paper_divides_by_ten_when_the_error_stops_falling_three_times():
    rate = published("alexnet").recipe.learning_rate()
    flat = [0.5] + [0.5] * 30
    assert rate(31, flat) == pytest.approx(1e-5)
    assert rate(2, flat[:2]) == 1e-2


# Typed from the sources: images in a batch, epochs, rate, drops, decay, decays by name, factors of
# the rate by name, the part that is seen, crops in the test, and the error.
TWICE, BIAS = {"*.bias": 2.0}, {"*.bias": 0.0}


def conv1(slow, frozen):
    return {f"conv1.weight@{slow}": 0.1, f"conv1.bias@{slow}": 20.0, f"conv1.*@{frozen}": 0.0}


# The biases of the runs of 2012 keep their rate of 0.02 while that of the weights falls by tens.
AS_RUN = {"*.bias@25": 20.0, "*.bias@51": 200.0, "*.bias@79": 2000.0}
HALF = {"*.bias@20": 20.0, "*.bias@48": 200.0}
NO_NORM = {"*.bias@22": 20.0, "*.bias@44": 200.0, "*.bias@86": 2000.0}
# This run's end at 0.002, and conv1 stops with the last drop.
POOL2 = {"*.bias@23": 20.0, "*.bias@51": 200.0, "conv1.*@79": 0.0}
SOURCES = {
    "cifar_80sec": (128, 12, 0.001, (8,), 0.004, BIAS | {"fc*.weight": 0.03}, TWICE, 0, 1, "26 %"),
    "cifar_19pct": (
        *(128, 140, 0.001, (120, 130), 0.004, BIAS | {"fc4.weight": 3.0}, TWICE, 0, 1),
        "19 %",
    ),
    "cifar_18pct": (
        *(128, 140, 0.001, (120, 130), 0.004, BIAS | {"fc4.weight": 1.0}, TWICE, 0, 1),
        "18 %",
    ),
    # (100 epochs on 4/5) + 40 on all, then 10 and 10.
    "cifar_13pct": (
        *(128, 80 + 40 + 20, 0.001, (120, 130), 0.0),
        *({"local*.weight": 0.004, "fc5.weight": 0.004}, TWICE, 24, 10, "13 %"),
    ),
    "cifar_11pct": (
        *(128, 280 + 150 + 20, 0.001, (430, 440), 0.0),
        *({"local*.weight": 0.004, "fc5.weight": 0.01}, TWICE, 24, 10, "11 %"),
    ),
    "alexnet_as_run": (
        *(128, 91, 0.01, (25, 51, 79), 0.0005, BIAS, TWICE | AS_RUN | conv1(67, 72), 224, 10),
        "40.66 / 18.21 %",
    ),
    "alexnet_half": (
        *(128, 96, 0.01, (20, 48), 0.0005, BIAS, TWICE | HALF | conv1(66, 72), 224, 10),
        "39.17 / 18.23 %",
    ),
    "alexnet_no_norm": (
        *(128, 97, 0.01, (22, 44, 86), 0.0005, BIAS, TWICE | NO_NORM | conv1(69, 73), 224, 10),
        "42.03 / 19.36 %",
    ),
    "alexnet_pool2": (
        *(128, 90, 0.01, (23, 51, 79), 0.0005, BIAS, TWICE | POOL2, 224, 10),
        "41.06 / 18.51 %",
    ),
    "caffe_alexnet": (
        *(256, 90, 0.01, (20, 40, 60, 80), 0.0005, BIAS, TWICE, 227, 1),
        "42.9 / 19.8 %",
    ),
    "caffenet": (
        *(256, 90, 0.01, (20, 40, 60, 80), 0.0005, BIAS, TWICE, 227, 1),
        "42.6 / 19.6 %",
    ),
    "one_tower": (256, 90, 0.01, (30, 60), 0.0001, {}, {}, 224, 1, "43.48 / 20.93 %"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_numbers_are_the_sources(name):
    one = published(name)
    recipe = one.recipe
    *numbers, error = SOURCES[name]
    assert numbers == [
        recipe.batch,
        recipe.epochs,
        recipe.rate,
        recipe.drop_at,
        recipe.decay,
        recipe.decays,
        recipe.rates,
        recipe.crop,
        {"center": 1, "ten": 10}[recipe.crops],
    ]
    assert one.error.startswith(error)
    assert (recipe.momentum, recipe.schedule, recipe.drop_factor) == (0.9, "steps", 0.1)
    assert recipe.flip == (recipe.crop > 0)


def test_pictures_as_the_sources_scale_them():
    for name in RECIPES:
        scale = published(name).recipe.scale
        match name:
            case "one_tower":
                assert scale == pytest.approx((1 / 58.395, 1 / 57.12, 1 / 57.375))
            case "alexnet_no_towers":
                assert scale == (1 / 255,)
            case "mini":
                assert scale == (1 / 64,)
            case _:
                assert scale == (1,)


@every_recipe
def test_it_says_where_it_comes_from_and_what_to_expect(name):
    one = published(name)
    assert one.source
    assert "%" in one.error + one.measured or name in ("alexnet", "alexnet_no_towers")


def test_only_the_papers_own_recipe_treats_biases_like_weights():
    assert published("alexnet").recipe.rates == {}
    assert published("alexnet_as_run").recipe.rates["*.bias"] == 2.0
    assert published("alexnet_as_run").recipe.decays == {"*.bias": 0.0}


def rate_of(recipe, name, epoch):
    """The rate at which a parameter learns in an epoch: how far a gradient of 1 moves it."""
    sgd = recipe.optimiser()
    sgd.decay, sgd.decays = 0.0, {}
    params = {key: np.zeros(1) for key in Names(recipe.network).params}
    grads = {key: np.ones(1) for key in params}
    return -sgd.step(params, grads, recipe.learning_rate()(epoch, []), epoch)[name][0]


# Epoch, and the rates of conv1's weights and biases and of conv2's, noted in layer-params-145.
NOTED = [
    (0, 1e-2, 2e-2, 1e-2, 2e-2),
    (25, 1e-3, 2e-2, 1e-3, 2e-2),
    (51, 1e-4, 2e-2, 1e-4, 2e-2),
    (67, 1e-5, 2e-3, 1e-4, 2e-2),
    (72, 0, 0, 1e-4, 2e-2),
    (79, 0, 0, 1e-5, 2e-2),
    (90.9, 0, 0, 1e-5, 2e-2),
]


@pytest.mark.parametrize("row", NOTED, ids=[str(row[0]) for row in NOTED])
def test_the_run_of_2012_by_its_notes(row):
    epoch, *expected = row
    recipe = published("alexnet_as_run").recipe
    names = ["conv1.weight", "conv1.bias", "conv2.a.weight", "conv2.a.bias"]
    assert [rate_of(recipe, name, epoch) for name in names] == pytest.approx(expected)


def test_the_stairs_of_2014_are_others_for_biases():
    recipe = published("one_tower_norm").recipe
    for epoch, expected in [(0, 0.02), (23, 0.02), (44, 0.02), (46, 0.002), (89, 0.002)]:
        assert rate_of(recipe, "conv3.bias", epoch) == pytest.approx(expected)


def seen(name, epoch):
    """How the first eight pictures are looked at in an epoch of a recipe."""
    recipe = dataclasses.replace(published(name).recipe, seed=3)
    colours = Colours(np.array([20.0, 37.0, 122.0]), np.eye(3))
    nothing = data.Split(np.zeros((1, 256, 256, 3), np.uint8), np.zeros(1, np.int64))
    mean = np.zeros((256, 256, 3), np.float32)
    return recipe.looks(data.Dataset(nothing, nothing, ("a",), mean, "", colours), epoch).views(
        0, 64
    )


def test_the_paper_draws_a_part_and_a_colour_for_each_picture_throughout():
    for epoch in (0, 80):
        views = seen("alexnet", epoch)
        assert len(set(views.tops.tolist())) > 15
        assert 20 < max(views.tops.max(), views.lefts.max()) <= 256 - 227
        assert views.shifts.shape == (64, 3)
        assert views.tone == 1


def test_what_was_run_shared_parts_by_blocks_and_ended_colour_noise():
    early, late = seen("alexnet_as_run", 66), seen("alexnet_as_run", 67)
    for views in (early, late):
        places = set(zip(views.tops.tolist(), views.lefts.tolist(), strict=True))
        assert len(places) == 2
        assert len(set(views.mirrored[:32].tolist())) == 1
    assert len(set(early.shifts[:, 0].tolist())) == 64
    assert early.tone == pytest.approx(1 / 1.1)
    assert (late.shifts, late.tone) == (None, 1)
    assert seen("alexnet_pool2", 89).shifts is not None


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match='unknown recipe "max": expected one of mini, cifar_80sec'):
        published("max")


def test_the_first_recipe_is_what_no_options_give():
    assert published("mini").recipe == Recipe()
    assert dataclasses.replace(Recipe(), seed=3) != Recipe()
