"""Gradient descent against the rule on single numbers, and the learning rates over a run."""

import numpy as np
import pytest

from minialexnet.errors import InputError
from minialexnet.optim import SGD, begins, constant, cosine, dexp, linear, plateau, steps

# -------------------------------------------------------------------------------------- descent


def one(value):
    return np.array([value])


def test_three_steps_worked_out_by_hand():
    """v <- 0.5 v - rate 0.1 w - rate dw; w <- w + v, with another rate at every step.

    step 1: v = 0         - 0.2 * 0.1 * 1     - 0.2 * 2    = -0.42      w = 0.58
    step 2: v = -0.21     - 0.1 * 0.1 * 0.58  - 0.1 * -1   = -0.1158    w = 0.4642
    step 3: v = -0.0579   - 0.5 * 0.1 * 0.4642 - 0.5 * 0.3 = -0.23111   w = 0.23309
    """
    sgd = SGD(momentum=0.5, decay=0.1)
    params = {"w": one(1.0)}
    expected = [(-0.42, 0.58), (-0.1158, 0.4642), (-0.23111, 0.23309)]
    moves = zip([0.2, 0.1, 0.5], [2.0, -1.0, 0.3], expected, strict=True)
    for rate, gradient, (velocity, weight) in moves:
        params = sgd.step(params, {"w": one(gradient)}, rate)
        assert sgd.velocity["w"][0] == pytest.approx(velocity, rel=1e-12)
        assert params["w"][0] == pytest.approx(weight, rel=1e-12)


def test_the_rate_is_inside_the_velocity():
    """With rate 0 the weights coast on: the velocity gathered so far is not slowed down."""
    sgd = SGD(momentum=0.9, decay=0)
    params = sgd.step({"w": one(0.0)}, {"w": one(1.0)}, 1.0)
    params = sgd.step(params, {"w": one(1.0)}, 0.0)
    assert params["w"][0] == pytest.approx(-1.9)


def test_patterns_may_begin_to_count_later():
    """A factor of 0 from epoch 2 on freezes: the weight stays, and so does the velocity."""
    sgd = SGD(decay=0, rates={"w": 2, "w@1.5": 4, "w@2": 0})
    params, moves = {"w": one(0.0)}, []
    for epoch in (0, 1.25, 1.5, 1.75, 2, 3):
        before = params["w"][0]
        sgd.velocity = {"w": one(0.0)}
        params = sgd.step(params, {"w": one(1.0)}, 0.1, epoch)
        moves.append(params["w"][0] - before)
    assert moves == pytest.approx([-0.2, -0.2, -0.4, -0.4, 0, 0])
    assert sgd.velocity["w"][0] == 0


def test_of_patterns_that_count_the_last_one_written_decides():
    sgd = SGD(decay=0, rates={"w@2": 0, "*": 1})
    params = sgd.step({"w": one(0.0)}, {"w": one(1.0)}, 0.1, epoch=3)
    assert params["w"][0] == pytest.approx(-0.1)


def test_decays_may_begin_to_count_later_too():
    sgd = SGD(momentum=0, decay=0, decays={"w@1": 0.5})
    grads = {"w": one(0.0)}
    assert sgd.step({"w": one(1.0)}, grads, 0.1, epoch=0.9)["w"][0] == 1
    assert sgd.step({"w": one(1.0)}, grads, 0.1, epoch=1)["w"][0] == pytest.approx(0.95)


@pytest.mark.parametrize(
    ("pattern", "epoch"),
    [("*.bias", 0), ("conv1.*@72", 72), ("*@1.5", 1.5)]
    + [(f"*@{wrong}", None) for wrong in ("", "soon", "-1", "nan", "inf", "1@2")],
)
def test_from_when_a_pattern_counts(pattern, epoch):
    assert begins(pattern) == epoch


def test_a_later_pattern_that_names_no_parameter_is_refused():
    with pytest.raises(InputError, match=r'no parameter is named "conv9\.\*@3"'):
        SGD(rates={"conv9.*@3": 0}).step({"w": one(0.0)}, {"w": one(0.0)}, 0.1)


def test_against_plain_python_over_many_steps():
    rng = np.random.default_rng(0)
    sgd = SGD(rates={"*.bias": 2}, decays={"*.bias": 0})
    params = {"fc.weight": rng.standard_normal((3, 2)), "fc.bias": rng.standard_normal(2)}
    numbers = {name: array.ravel().tolist() for name, array in params.items()}
    velocity = {name: [0.0] * len(values) for name, values in numbers.items()}
    for step in range(10):
        rate = 0.1 / (1 + step)
        grads = {name: rng.standard_normal(array.shape) for name, array in params.items()}
        params = sgd.step(params, grads, rate)
        for name, factor, decay in [("fc.weight", 1, 0.0005), ("fc.bias", 2, 0)]:
            for i, gradient in enumerate(grads[name].ravel().tolist()):
                velocity[name][i] = (
                    0.9 * velocity[name][i]
                    - factor * rate * decay * numbers[name][i]
                    - factor * rate * gradient
                )
                numbers[name][i] += velocity[name][i]
    for name, values in numbers.items():
        np.testing.assert_allclose(params[name].ravel(), values, rtol=1e-12)


def test_the_defaults_are_the_papers():
    sgd = SGD()
    assert (sgd.momentum, sgd.decay, sgd.rates, sgd.decays) == (0.9, 0.0005, {}, {})


def moved(sgd, names, rate=1.0):
    """How far one step with gradients of 1 moves weights of 1, for each name."""
    params = {name: one(1.0) for name in names}
    after = sgd.step(params, params, rate)
    return {name: round(1 - float(after[name][0]), 12) for name in names}


def test_patterns_choose_rates_and_the_last_match_counts():
    sgd = SGD(decay=0, rates={"*": 3, "*.bias": 2, "conv1.*": 5})
    names = ["fc.weight", "fc.bias", "conv1.weight", "conv1.bias", "conv10.bias"]
    assert list(moved(sgd, names).values()) == [3, 2, 5, 5, 2]


def test_patterns_choose_decays_and_the_last_match_counts():
    sgd = SGD(decay=0.25, decays={"*.bias": 0, "fc8.*": 0.5})
    names = ["fc7.weight", "fc7.bias", "fc8.weight", "fc8.bias"]
    assert list(moved(sgd, names).values()) == [1.25, 1, 1.5, 1.5]


def test_the_rate_of_a_parameter_multiplies_its_decay_too():
    assert moved(SGD(decay=0.5, rates={"a": 2}), ["a"], rate=0.1) == {"a": 0.3}


def test_patterns_tell_upper_from_lower_case():
    assert moved(SGD(decay=0, rates={"A*": 2}), ["A", "a"]) == {"A": 2, "a": 1}
    with pytest.raises(InputError):
        moved(SGD(rates={"A*": 2}), ["a"])


def test_frozen_parameters_stay_what_they_are():
    sgd = SGD(rates={"conv1.*": 0})
    params = {"conv1.weight": one(1.0), "fc.weight": one(1.0)}
    after = sgd.step(params, params, 0.1)
    assert after["conv1.weight"] is params["conv1.weight"]
    assert after["fc.weight"][0] < 1
    assert sgd.velocity.keys() == {"fc.weight"}


@pytest.mark.parametrize("kind", ["rates", "decays"])
def test_a_pattern_that_matches_nothing(kind):
    params = {"conv1.weight": one(1.0), "fc.weight": one(1.0)}
    with pytest.raises(InputError) as error:
        SGD(**{kind: {"conv1.*": 2, "conv9.*": 0}}).step(params, params, 0.1)
    assert str(error.value) == (
        'no parameter is named "conv9.*"; this network has conv1.weight, fc.weight'
    )


def test_arrays_handed_in_are_not_written_into():
    rng = np.random.default_rng(0)
    params = {"w": rng.standard_normal(4).astype(np.float32)}
    grads = {"w": rng.standard_normal(4).astype(np.float32)}
    sgd = SGD()
    for _ in range(2):
        given = [params["w"], grads["w"], sgd.velocity.get("w", params["w"])]
        before = [array.copy() for array in given]
        after = sgd.step(params, grads, 0.1)
        for array, copied in zip(given, before, strict=True):
            np.testing.assert_array_equal(array, copied)
        assert not np.shares_memory(after["w"], sgd.velocity["w"])
        params = after
    assert params["w"].dtype == sgd.velocity["w"].dtype == np.float32


# ---------------------------------------------------------------------------------- the schedules


def test_constant():
    assert [constant(0.01)(epoch, [0.5] * 9) for epoch in (0, 3.5, 100)] == [0.01] * 3


def test_steps():
    rate = steps(0.02, drop_at=[2, 5], factor=0.5)
    rates = [rate(epoch, []) for epoch in (0, 1.99, 2, 4.9, 5, 100)]
    assert rates == pytest.approx([0.02, 0.02, 0.01, 0.01, 0.005, 0.005])


def test_plateau_drops_three_times_when_the_error_stops_improving():
    rate = plateau(0.01, patience=2)
    errors = [0.9, 0.8, 0.8, 0.85, 0.7, 0.71, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]
    #          best best  1     2    best  1   best  1    2    1    2    1    2
    drops = [0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 3, 3]
    for epoch, drop in enumerate(drops):
        so_far = errors[: epoch + 1]
        assert rate(epoch + 1.5, so_far) == pytest.approx(0.01 * 0.1**drop)
    assert rate(0, []) == 0.01


def test_plateau_waits_again_after_a_drop():
    rate = plateau(1.0, patience=3, factor=0.5, drops=2)
    rates = [rate(0, [0.5] * (1 + waited)) for waited in range(10)]
    assert rates == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]


def test_linear():
    rate = linear(0.1, epochs=10, final=0.2)
    rates = [rate(epoch, []) for epoch in (0, 2.5, 5, 10, 12)]
    assert rates == pytest.approx([0.1, 0.08, 0.06, 0.02, 0.02])
    assert linear(0.1, epochs=4)(4, []) == 0


def test_cosine():
    rate = cosine(0.1, epochs=6, final=0.2)
    rates = [rate(epoch, []) for epoch in (0, 2, 3, 4, 6, 9)]
    assert rates == pytest.approx([0.1, 0.08, 0.06, 0.04, 0.02, 0.02])
    assert cosine(0.1, epochs=4)(4, []) == pytest.approx(0)


def test_dexp_is_the_original_codes_stairs():
    rate = dexp(0.01, epochs=8, final=1 / 250, levels=4)
    rates = [rate(epoch, []) for epoch in (0, 1.99, 2, 3.99, 4, 5.99, 6, 8, 9)]
    stairs = [0.01, 0.0016, 0.00025, 0.00004]
    assert rates[:8] == pytest.approx([stair for stair in stairs for _ in range(2)], rel=0.02)
    assert rates[7] == rates[8] == pytest.approx(0.01 / 250)
