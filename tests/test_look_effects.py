"""What one change brings."""

import pytest

from minialexnet import look
from minialexnet.errors import InputError


def row(setting, seed, error):
    return {"setting": setting, "seed": seed, "test_error": error}


ROWS = [
    row("with", 0, 0.30),
    row("without", 0, 0.31),
    row("without", 1, 0.36),
    row("with", 1, 0.33),
    row("with", 2, 0.36),
    row("without", 2, 0.38),
    row("with", 3, 0.9),
]


def test_seeds_are_compared_each_with_itself():
    mean, half = look.difference(ROWS, "with", "without")
    assert mean == pytest.approx(-0.02)
    # The differences are -0.01, -0.03, -0.02, of standard deviation 0.01.
    assert half == pytest.approx(4.303 * 0.01 / 3**0.5)


def test_many_seeds_take_the_last_of_the_table():
    many = [row(name, seed, 0.1 * seed) for seed in range(30) for name in ("a", "b")]
    assert look.difference(many, "a", "b") == (0.0, 0.0)


@pytest.mark.parametrize("setting", ["with", "nothing of that name"])
def test_one_seed_shows_no_spread(setting):
    with pytest.raises(InputError, match=r"expected two seeds or more with both, got [01]$"):
        look.difference(ROWS[:3], setting, "without")


def test_every_change_has_its_line_and_who_says_nothing_has_no_mark():
    measured = {"norm": (-0.5, 0.7), "pooling": (0.1, 0.4)}
    cited = {"the paper": {"norm": -1.4, "pooling": -0.4}, "later": {"pooling": 1.3}}
    axes = look.effects(measured, cited, "points").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["norm", "pooling"]
    marks = {line.get_label(): list(line.get_xdata()) for line in axes.lines}
    assert marks["the paper"] == [-1.4, -0.4] and marks["later"] == [1.3]
    (bars,) = (one for one in axes.containers if one.get_label() == "here")
    ends = [segment[:, 0].tolist() for segment in bars.lines[2][0].get_segments()]
    assert ends == [pytest.approx([-1.2, 0.2]), pytest.approx([-0.3, 0.5])]
