"""The numbers of a run: read, checked, kept and put to work."""

import argparse
import dataclasses

import pytest

from minialexnet import optim
from minialexnet.commands.recipe_options import add_options, options
from minialexnet.errors import InputError
from minialexnet.recipe import Recipe, from_dict

NONSENSE = [
    *[("network", name) for name in ("resnet", "", "Mini", "__all__")],
    *[("engine", name) for name in ("fast", "")],
    *[("schedule", name) for name in ("stepwise", "")],
    *[
        (name, n)
        for name in ("epochs", "batch", "patience", "stall_after", "share", "workspace")
        for n in (0, -1)
    ],
    *[(name, -1) for name in ("drops", "seed")],
    *[
        (name, x)
        for name in ("decay", "final", "colour", "colour_epochs")
        for x in (-0.1, float("nan"), float("inf"))
    ],
    *[
        (name, x)
        for name in ("rate", "drop_factor")
        for x in (0.0, -1.0, float("nan"), float("inf"))
    ],
    *[("scale", (1.0, x, 1.0)) for x in (0.0, -1.0, float("nan"), float("inf"))],
    *[("scale", scale) for scale in ((), (1.0, 1.0))],
    *[("crops", name) for name in ("nine", "centre")],
    *[("init", name) for name in ("", "xavier")],
    ("crop", -1),
    *[("momentum", x) for x in (-0.1, 1.0, 2.0, float("nan"))],
    *[("drop_at", (8.0, x)) for x in (-1.0, float("nan"))],
    *[
        (name, {pattern: 1.0})
        for name in ("rates", "decays")
        for pattern in ("*@", "*@soon", "*@-1", "*@nan", "*@inf", "*@1@2")
    ],
    *[(name, {"*": x}) for name in ("rates", "decays") for x in (-1.0, float("nan"), float("inf"))],
]


@pytest.mark.parametrize(("name", "value"), NONSENSE)
def test_nonsense_is_refused_by_name(name, value):
    with pytest.raises(InputError) as caught:
        Recipe(**{name: value})
    assert str(caught.value).startswith(f"{name} should be ")
    assert str(caught.value).endswith(f", got {value}")


def test_dexp_needs_two_levels_and_an_end_above_zero():
    with pytest.raises(InputError, match="levels should be 2 or more, got 1"):
        Recipe(schedule="dexp", final=0.1, levels=1)
    with pytest.raises(InputError, match=r"final should be a number above 0, got 0\.0"):
        Recipe(schedule="dexp")
    Recipe(levels=1)


def test_extreme_but_sensible_numbers_are_taken():
    Recipe(epochs=1, batch=1, momentum=0.0, decay=0.0, drops=0, seed=10**30, drop_at=())


def test_a_scale_of_one_number_as_it_was_kept_once():
    assert from_dict({"scale": 0.25}, "recipe.json") == Recipe(scale=(0.25,))


@pytest.mark.parametrize(("word", "flip"), [("--flip", True), ("--no-flip", False)])
def test_yes_and_no(word, flip):
    assert parsed(word) == {"flip": flip}


@pytest.mark.parametrize("values", [{"tint": 1}, [1, 2], None, {"epochs": "many"}, {"drop_at": 3}])
def test_what_is_no_recipe_is_refused_with_its_source(values):
    with pytest.raises(InputError, match=r"^here: not a recipe of this version"):
        from_dict(values, "here")


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_options(parser)
    return options(parser.parse_args(words))


def test_options_that_are_not_given_stay_out():
    assert parsed() == {}


def test_every_field_can_be_given_and_comes_out_in_its_own_kind():
    others = Recipe(
        network="alexnet",
        data="cifar10",
        epochs=3,
        batch=4,
        crop=24,
        flip=True,
        share=32,
        colour=0.25,
        colour_epochs=1.5,
        colour_tone=True,
        crops="ten",
        scale=(0.5, 0.25, 2.0),
        rate=0.5,
        schedule="dexp",
        drop_at=(1.0, 2.5),
        drop_factor=0.2,
        patience=6,
        drops=7,
        final=0.25,
        levels=5,
        warmup=1.5,
        momentum=0.75,
        decay=0.125,
        rates={"conv1.*": 0.0, "*.bias": 3.0, "*.bias@2.5": 30.0},
        decays={"fc*": 0.5},
        init="lsuv",
        seed=8,
        engine="plain",
        precision="float16",
        workspace=64,
        stall_after=10,
    )
    words = []
    for name, value in dataclasses.asdict(others).items():
        assert value != getattr(Recipe(), name)
        words.append(f"--{name.replace('_', '-')}")
        if isinstance(value, bool):
            continue
        if isinstance(value, dict):
            words += [f"{pattern}={number}" for pattern, number in value.items()]
        else:
            words += map(str, value if isinstance(value, tuple) else [value])
    given = parsed(*words)
    assert dataclasses.replace(Recipe(), **given) == others
    assert {name: type(value) for name, value in given.items()} == {
        name: type(value) for name, value in dataclasses.asdict(Recipe()).items()
    }


def test_lists_can_be_emptied():
    given = parsed("--drop-at", "--rates", "--decays")
    assert given == {"drop_at": (), "rates": {}, "decays": {}}


@pytest.mark.parametrize("text", ["*.bias", "=2", "*.bias=", "*.bias=two"])
def test_what_is_no_assignment_is_refused(text, capsys):
    with pytest.raises(SystemExit):
        parsed("--rates", text)
    assert f'expected PATTERN=NUMBER, got "{text}"' in capsys.readouterr().err


def test_each_schedule_is_the_one_of_its_name():
    numbers = {
        "epochs": 20,
        "rate": 0.5,
        "drop_at": (3.0, 10.0),
        "drop_factor": 0.2,
        "patience": 2,
        "drops": 1,
        "final": 0.25,
        "levels": 3,
    }
    expected = {
        "constant": optim.constant(0.5),
        "steps": optim.steps(0.5, (3.0, 10.0), 0.2),
        "plateau": optim.plateau(0.5, 2, 0.2, 1),
        "linear": optim.linear(0.5, 20, 0.25),
        "cosine": optim.cosine(0.5, 20, 0.25),
        "dexp": optim.dexp(0.5, 20, 0.25, 3),
    }
    seen = set()
    for name, schedule in expected.items():
        ours = Recipe(schedule=name, **numbers).learning_rate()
        moments = [(epoch / 4, [0.5] * (epoch // 4)) for epoch in range(80)]
        rates = [ours(*moment) for moment in moments]
        assert rates == [schedule(*moment) for moment in moments]
        seen.add(tuple(rates))
    assert len(seen) == 6


def test_the_optimiser_has_the_numbers_of_the_recipe():
    one = Recipe(momentum=0.5, decay=0.25, rates={"a": 1.0}, decays={"b": 2.0}).optimiser()
    assert (one.momentum, one.decay, one.rates, one.decays) == (0.5, 0.25, {"a": 1.0}, {"b": 2.0})
