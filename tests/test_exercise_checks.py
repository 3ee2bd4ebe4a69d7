"""The checks of the exercises: the library passes, stubs do not, and mistakes are pointed at."""

import pytest
from exercise_submissions import points, submissions

from minialexnet import exercise

# The visible numbers, and two that a class would not see.
SEEDS = (0, 1, 2)
# Exercises to which right and wrong answers have been collected so far.
TRIED = ("softmax_loss", "linear", "relu", "conv2d_forward", "conv2d_backward")


def earned(found) -> tuple[float, int]:
    """Points earned, and points to be had."""
    return sum(one.earned for one in found), sum(one.points for one in found)


def made(name: str, text: str):
    """What a file with this text provides."""
    words = {"__name__": "submission"}
    exec(text, words)
    return words[exercise.EXERCISES[name].provides]


@pytest.mark.parametrize("name", exercise.names())
def test_the_librarys_own_answer_earns_everything(name):
    one = exercise.EXERCISES[name]
    for seed in SEEDS:
        got, all_of_it = earned(exercise.results(name, made(name, one.answer), seed))
        assert got == all_of_it > 0


@pytest.mark.parametrize("name", exercise.names())
def test_the_stub_earns_nothing_and_has_no_solution_in_it(name):
    one = exercise.EXERCISES[name]
    assert earned(exercise.results(name, made(name, one.stub)))[0] == 0
    assert "SOLUTION" not in one.stub
    assert one.stub.count("raise NotImplementedError") == one.answer.count("BEGIN SOLUTION") > 0


@pytest.mark.parametrize("name", exercise.names())
def test_there_is_all_that_an_exercise_needs(name):
    one = exercise.EXERCISES[name]
    assert len(one.hints) == 3 and all(one.hints)
    assert one.minutes > 0 and one.title and one.task.strip()
    assert one.naive.startswith("def ")


RIGHT = [(name, one) for name in TRIED for one in submissions(name).right]
WRONG = [(name, one) for name in TRIED for one in submissions(name).wrong]


@pytest.mark.parametrize(("name", "one"), RIGHT, ids=[f"{n}-{o.name}" for n, o in RIGHT])
def test_right_answers_of_any_style_lose_nothing(name, one):
    for seed in SEEDS:
        got, all_of_it = earned(exercise.results(name, one.answer, seed))
        assert got == all_of_it


@pytest.mark.parametrize(("name", "one"), WRONG, ids=[f"{n}-{o.name}" for n, o in WRONG])
def test_wrong_answers_lose_something_and_the_message_points_at_the_mistake(name, one):
    for seed in SEEDS:
        found = exercise.results(name, one.answer, seed)
        got, all_of_it = earned(found)
        assert got < all_of_it
    assert one.points_at is None or points(one, exercise.results(name, one.answer))


@pytest.mark.parametrize("name", TRIED)
def test_there_are_enough_of_them(name):
    here = submissions(name)
    assert len(here.right) >= 3
    assert len(here.wrong) >= 12
    pointed = sum(one.points_at is not None for one in here.wrong)
    assert pointed >= 2 / 3 * len(here.wrong)


def test_a_check_prints_a_line_each_and_returns_a_number(capsys):
    from minialexnet.layers import ReLU

    assert exercise.check("relu", ReLU, points=3) == 3.0
    said, errors = capsys.readouterr()
    assert errors == ""
    assert len(said.splitlines()) == len(exercise.EXERCISES["relu"].checks) + 1
    exercise.hint("relu", 3)
    assert capsys.readouterr().out.split() == exercise.EXERCISES["relu"].hints[2].split()
