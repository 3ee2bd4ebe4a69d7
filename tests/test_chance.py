"""Chance is a function of the place, and no two places share it."""

import itertools

import pytest

from minialexnet.chance import PURPOSES, generator


def test_one_place_draws_the_same_numbers_every_time():
    for place in itertools.product(PURPOSES, (0, 7), (0, 2), (0, 3)):
        assert (generator(*place).random(5) == generator(*place).random(5)).all()


def test_all_places_draw_different_numbers():
    places = list(itertools.product(PURPOSES, range(4), range(4), range(4)))
    assert len({generator(*place).bytes(16) for place in places}) == len(places)


def test_the_beginning_is_epoch_0_and_step_0():
    assert generator("order", 7).bytes(16) == generator("order", 7, 0, 0).bytes(16)


def test_an_unknown_purpose_is_an_error():
    with pytest.raises(ValueError):
        generator("dropout", 0)
