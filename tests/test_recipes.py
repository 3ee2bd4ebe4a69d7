"""The runs of record: they can be begun, and say where they come from."""

import dataclasses
import json

import numpy as np
import pytest

from minialexnet import data, networks
from minialexnet.errors import InputError
from minialexnet.recipe import Recipe, as_json, from_dict
from minialexnet.recipes import RECIPES, published

every_recipe = pytest.mark.parametrize("name", RECIPES)


@every_recipe
def test_it_comes_back_from_its_file(name):
    recipe = published(name).recipe
    assert from_dict(json.loads(as_json(recipe)), "recipe.json") == recipe


def test_every_network_has_a_recipe():
    assert {one.recipe.network for one in RECIPES.values()} == set(networks.__all__)
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


def test_decay_by_layer_is_the_sources():
    sgd = published("cifar_18pct").recipe.optimiser()
    assert (sgd.decay, sgd.decays) == (0.004, {"*.bias": 0.0, "fc4.weight": 1.0})
    decays = published("cifar_13pct").recipe.optimiser()
    assert (decays.decay, decays.decays) == (0.0, {"local*.weight": 0.004, "fc5.weight": 0.004})


@every_recipe
def test_it_says_where_it_comes_from_and_what_to_expect(name):
    one = published(name)
    assert one.source
    assert "%" in one.error + one.measured or name in ("alexnet", "alexnet_no_towers")


def test_only_the_papers_own_recipe_treats_biases_like_weights():
    assert published("alexnet").recipe.rates == {}
    assert published("alexnet_as_run").recipe.rates == {"*.bias": 2.0}
    assert published("alexnet_as_run").recipe.decays == {"*.bias": 0.0}


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match='unknown recipe "max": expected one of mini, cifar_80sec'):
        published("max")


def test_the_first_recipe_is_what_no_options_give():
    assert published("mini").recipe == Recipe()
    assert dataclasses.replace(Recipe(), seed=3) != Recipe()
