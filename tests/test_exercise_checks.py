"""The checks of the exercises: the library passes, stubs do not, and mistakes are pointed at."""

import pytest
from exercise_submissions import SEEDS, judged

from minialexnet import exercise


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


@pytest.mark.long
@pytest.mark.parametrize("name", exercise.names())
def test_right_answers_of_any_style_lose_nothing(name):
    right, _ = judged(name)
    assert len(right) >= 3
    assert {one.submission.name: one.said for one in right if not all(one.full)} == {}


@pytest.mark.long
@pytest.mark.parametrize("name", exercise.names())
def test_wrong_answers_never_earn_everything(name):
    _, wrong = judged(name)
    assert len(wrong) >= 12
    assert [one.submission.name for one in wrong if any(one.full)] == []


@pytest.mark.long
@pytest.mark.parametrize("name", exercise.names())
def test_messages_point_at_the_mistake(name):
    """At those where they are expected to, and these are two thirds or more."""
    _, wrong = judged(name)
    missed = {one.submission.name: one.said for one in wrong if not one.pointed}
    expected = {one.submission.name for one in wrong if one.submission.points_at is not None}
    assert {name: said for name, said in missed.items() if name in expected} == {}
    assert sum(one.pointed for one in wrong) >= 2 / 3 * len(wrong)


def test_a_check_prints_a_line_each_and_returns_a_number(capsys):
    from minialexnet.layers import ReLU

    assert exercise.check("relu", ReLU, points=3) == 3.0
    said, errors = capsys.readouterr()
    assert errors == ""
    assert len(said.splitlines()) == len(exercise.EXERCISES["relu"].checks) + 1
    exercise.hint("relu", 3)
    assert capsys.readouterr().out.split() == exercise.EXERCISES["relu"].hints[2].split()
