"""The loop does what the paper says, counts what it saw, and depends on the recipe alone."""

import copy
import dataclasses
import json
import math

import numpy as np
import pytest
import tiny

from minialexnet import strict
from minialexnet import train as loop
from minialexnet.backend import device
from minialexnet.chance import generator
from minialexnet.data import Input
from minialexnet.engine import for_cpu
from minialexnet.evaluate import error_rates
from minialexnet.layers import Layer, ReLU, Tanh
from minialexnet.networks import mini
from minialexnet.recipe import Recipe
from minialexnet.train import Progress, train

CPU = device("cpu")
TIMING = loop.TIMING


def small(**numbers):
    """A recipe for `tiny.network`: three steps an epoch, the last with four images of eight."""
    usual = {"epochs": 2, "batch": 8, "scale": (0.5,), "rate": 0.001, "schedule": "constant"}
    return Recipe(**usual | numbers)


def for_mini(**numbers):
    """A recipe for `mini`."""
    return small(**{"scale": (1 / 64,), "rate": 0.01} | numbers)


def trained(net, data, recipe, there=CPU):
    """The losses of all steps, the optimiser and the rows of the epochs."""
    net.params = {name: there.put(array) for name, array in net.params.items()}
    sgd, progress = recipe.optimiser(), Progress()
    losses = flat(train(net, sgd, data, recipe, there, progress))
    return losses, sgd, progress.history


def flat(losses):
    return [loss for some in losses for loss in some]


def untimed(history):
    return [{key: value for key, value in row.items() if key not in TIMING} for row in history]


def mini_with(**kinds):
    return mini(generator("weights", 0), 3, **kinds)


# ---------------------------------------------------------------- what the numbers are


def plain_training(net, data, recipe):
    """The same training, written out; every sum is a loop over images, in Python's own numbers."""
    momentum = {name: np.zeros(array.shape) for name, array in net.params.items()}
    losses, rows = [], []
    for epoch in range(recipe.epochs):
        order = generator("order", recipe.seed, epoch).permutation(len(data.train.labels))
        total, wrong = 0.0, 0
        while len(order):
            chosen, order = order[: recipe.batch], order[recipe.batch :]
            labels = data.train.labels[chosen].tolist()
            scores, cache = net.forward(
                (data.train.images[chosen] - data.mean) * recipe.scale, None
            )
            share, dscores = 0.0, np.zeros_like(scores)
            for n, (row, label) in enumerate(zip(scores.tolist(), labels, strict=True)):
                all_ways = sum(math.exp(score) for score in row)
                share += math.log(all_ways) - row[label]
                wrong += row.index(max(row)) != label
                for m, score in enumerate(row):
                    dscores[n, m] = (math.exp(score) / all_ways - (m == label)) / len(labels)
            losses.append(share / len(labels))
            total += share
            grads = net.backward(dscores, cache)[1]
            moved = {}
            for name, weight in net.params.items():
                bias = name.endswith("bias")
                rate, decay = (2 * recipe.rate, 0) if bias else (recipe.rate, recipe.decay)
                momentum[name] = (
                    recipe.momentum * momentum[name] - rate * decay * weight - rate * grads[name]
                )
                moved[name] = (weight + momentum[name]).astype(np.float32)
            net.params = moved
        missed = 0
        for image, label in zip(data.test.images, data.test.labels.tolist(), strict=True):
            row = net((image[None] - data.mean) * recipe.scale)[0].tolist()
            missed += row.index(max(row)) != label
        rows.append((total / len(data.train.labels), wrong / len(data.train.labels), missed / 11))
    return losses, rows


def test_losses_and_rows_are_what_the_plain_loop_computes():
    data = tiny.dataset(train=20, test=11, size=8)
    recipe = small(epochs=4)
    losses, _, history = trained(tiny.network(), data, recipe)
    expected_losses, expected = plain_training(tiny.network(), data, recipe)
    assert losses == pytest.approx(expected_losses, rel=1e-4)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    for row, (loss, train_error, test_error) in zip(history, expected, strict=True):
        assert row["loss"] == pytest.approx(loss, rel=1e-4)
        assert row["train_error"] == train_error
        assert row["test_error"] == test_error
        assert row["rate"] == 0.001
    assert len({row["train_error"] for row in history}) > 1


def test_the_mean_over_a_short_last_batch_counts_images_not_batches():
    data = tiny.dataset(train=20, size=8)
    losses, _, history = trained(tiny.network(), data, small(epochs=1))
    by_image = (8 * losses[0] + 8 * losses[1] + 4 * losses[2]) / 20
    assert len(losses) == 3
    assert history[0]["loss"] == pytest.approx(by_image, rel=1e-12)
    assert history[0]["loss"] != pytest.approx(sum(losses) / 3, rel=1e-3)


def test_mini_learns_a_small_set():
    losses, _, history = trained(mini_with(), tiny.dataset(), for_mini(epochs=6))
    assert all(map(math.isfinite, losses))
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert history[-1]["test_error"] == 0 < history[0]["train_error"]


def test_the_test_error_is_that_of_the_weights_at_the_end_of_the_epoch():
    data = tiny.dataset(train=20, test=11, size=8)
    for epochs in (1, 2, 3):
        net = tiny.network()
        _, _, history = trained(net, data, small(epochs=epochs))
        assert (history[-1]["test_error"],) == error_rates(
            net, data.test, Input(data.mean, 0.5, CPU)
        )


@pytest.mark.parametrize(("classes", "told"), [(3, False), (10, False), (11, True)])
def test_the_top_5_error_is_told_where_there_are_more_than_ten_classes(classes, told):
    data = tiny.dataset(train=24, test=22, classes=classes, size=8)
    _, _, history = trained(tiny.network(classes), data, small(epochs=1))
    assert ("test_error_top5" in history[0]) == told
    if told:
        assert history[0]["test_error_top5"] < history[0]["test_error"]


def test_the_time_of_an_epoch_and_its_images_per_second(monkeypatch):
    ticks = iter(range(1000))
    monkeypatch.setattr(loop, "perf_counter", lambda: next(ticks))
    _, _, history = trained(tiny.network(), tiny.dataset(train=20, size=8), small())
    # One tick for each of three steps, and one for the evaluation.
    assert [(row["images_per_s"], row["seconds"]) for row in history] == [(20 / 3, 4)] * 2


@pytest.mark.parametrize("schedule", ["constant", "steps", "plateau", "linear", "cosine", "dexp"])
def test_the_rate_follows_the_schedule(schedule, monkeypatch):
    recipe = small(
        epochs=4,
        schedule=schedule,
        drop_at=(0.5, 2.0),
        patience=1,
        final=0.1,
    )
    net, sgd, progress = tiny.network(), recipe.optimiser(), Progress()
    rates, step = [], sgd.step
    monkeypatch.setattr(sgd, "step", lambda *given: rates.append(given[2]) or step(*given))
    errors = iter([0.5, 0.6, 0.3, 0.4])
    monkeypatch.setattr(loop, "wrong_counts", lambda *given: [12 * next(errors)])
    data = tiny.dataset(train=20, size=8)
    assert len(flat(train(net, sgd, data, recipe, CPU, progress))) == 12
    known = [0.5, 0.6, 0.3]
    rate_at = recipe.learning_rate()
    expected = [rate_at(e + s / 3, known[:e]) for e in range(4) for s in range(3)]
    assert rates == expected
    assert [row["rate"] for row in progress.history] == expected[2::3]
    assert (len(set(rates)) == 1) == (schedule == "constant")


# ---------------------------------------------------------------- what they depend on


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    data = tiny.dataset()
    runs = []
    for seed in (0, 0, 1):
        net = mini(generator("weights", seed), 3)
        losses, sgd, history = trained(net, data, for_mini(seed=seed))
        runs.append((losses, net.params, sgd.velocity, untimed(history)))
    first, again, other = runs
    assert first[0] == again[0] != other[0]
    assert tiny.same(first[1], again[1])
    assert tiny.same(first[2], again[2])
    assert first[3] == again[3] != other[3]


def test_the_seed_decides_order_and_dropout_besides_the_weights():
    """With equal weights, batches as large as the set differ in order and dropout alone."""
    data = tiny.dataset()
    losses = {
        (seed, rate): trained(
            mini_with(Dropout=lambda share, r=rate: Drop(r)), data, for_mini(seed=seed)
        )[0]
        for seed in (0, 1)
        for rate in (0.0, 0.5)
    }
    assert len({tuple(run) for run in losses.values()}) == 4


def test_every_step_has_its_own_generator():
    class Draws(ReLU):
        def forward(self, x, rng=None):
            if rng is not None:
                drawn.append(rng.bytes(8))
            return super().forward(x, rng)

    drawn = []
    net = tiny.network()
    net.layers["relu1"] = Draws()
    trained(net, tiny.dataset(train=20, size=8), small(seed=5))
    places = [(epoch, step) for epoch in range(2) for step in range(3)]
    assert drawn == [generator("layers", 5, *place).bytes(8) for place in places]


class Drop(Layer):
    """A dropout that can be turned off."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, x, rng=None):
        mask = rng.random(x.shape) >= self.share if rng else 1 - self.share
        mask = np.asarray(mask, x.dtype)
        return x * mask, mask

    def backward(self, dy, cache):
        return dy * cache, {}


@pytest.mark.parametrize("engine", ["sliced", "winograd"])
def test_the_number_of_threads_changes_no_bit(engine, monkeypatch):
    # Slices so small and gains so low that this network is cut, and has Winograd's convolutions.
    monkeypatch.setattr("minialexnet.engine.IMAGES", 3)
    monkeypatch.setattr("minialexnet.engine.WORTH", 0)
    data = tiny.dataset()
    runs = []
    for threads in (1, 2, 3):
        net = for_cpu(mini_with(), engine, data.mean.shape, threads)
        losses, sgd, history = trained(net, data, for_mini())
        runs.append((losses, net.params, sgd.velocity, untimed(history)))
    for other in runs[1:]:
        assert other[0] == runs[0][0]
        assert tiny.same(other[1], runs[0][1])
        assert tiny.same(other[2], runs[0][2])
        assert other[3] == runs[0][3]


class StudentsReLU(Layer):
    """Written another way than the library's."""

    def forward(self, x, rng=None):
        positive = x > 0
        return np.where(positive, x, np.zeros_like(x)), positive

    def backward(self, dy, cache):
        return np.where(cache, dy, np.zeros_like(dy)), {}


def test_a_students_layer_trains_in_the_place_of_the_librarys():
    data, recipe = tiny.dataset(), for_mini(epochs=3)
    librarys, by_name, other = mini_with(), mini_with(), mini_with()
    for name, layer in by_name.layers.items():
        if isinstance(layer, ReLU):
            by_name.layers[name] = StudentsReLU()
    other.layers["relu1"] = Tanh()
    everywhere = mini_with(ReLU=StudentsReLU)
    expected, _, history = trained(librarys, data, recipe)
    assert history[-1]["loss"] < history[0]["loss"]
    assert trained(by_name, data, recipe)[0] == expected
    assert trained(everywhere, data, recipe)[0] == expected
    with_tanh, _, _ = trained(other, data, recipe)
    assert with_tanh != expected
    assert np.mean(with_tanh[-3:]) < np.mean(with_tanh[:3])


# ---------------------------------------------------------------- taken up again


def test_a_run_can_be_taken_up_after_every_step():
    data, recipe = tiny.dataset(train=20), for_mini(schedule="linear")
    net, sgd, progress = mini_with(), recipe.optimiser(), Progress()
    states = []
    for _ in train(net, sgd, data, recipe, CPU, progress):
        kept = json.dumps(dataclasses.asdict(progress))
        states.append((dict(net.params), dict(sgd.velocity), kept))
    assert len(states) == 6
    for params, velocity, kept in states:
        again, restarted = mini_with(), recipe.optimiser()
        again.params, restarted.velocity = params, velocity
        where = Progress(**json.loads(kept))
        list(train(again, restarted, data, recipe, CPU, where))
        assert tiny.same(again.params, net.params)
        assert tiny.same(restarted.velocity, sgd.velocity)
        assert untimed(where.history) == untimed(progress.history)
        assert (where.epoch, where.step) == (2, 0)


def test_a_run_at_its_end_does_no_step():
    data, recipe, net = tiny.dataset(size=8), small(), tiny.network()
    before = net.params
    progress = Progress(epoch=2)
    assert list(train(net, recipe.optimiser(), data, recipe, CPU, progress)) == []
    assert tiny.same(net.params, before)
    assert progress == Progress(epoch=2)


def test_nothing_that_was_handed_in_is_written_into():
    data, recipe, net = tiny.dataset(size=8), small(), tiny.network()
    first = net.params
    kept = copy.deepcopy((data, first))
    trained(net, data, recipe)
    assert tiny.same(first, kept[1])
    assert np.array_equal(data.train.images, kept[0].train.images)
    assert np.array_equal(data.mean, kept[0].mean)


# ---------------------------------------------------------------- on another device


def test_twenty_steps_on_the_strict_device_are_those_of_numpy():
    data = tiny.dataset(train=40, test=12)
    recipe = for_mini(epochs=4, schedule="cosine")
    there = strict.device()
    ours, theirs = mini_with(), mini_with()
    losses, sgd, history = trained(ours, data, recipe)
    strict_losses, strict_sgd, strict_history = trained(theirs, data, recipe, there)
    assert len(losses) == 20
    assert strict_losses == losses
    assert untimed(strict_history) == untimed(history)
    assert tiny.same({name: there.get(array) for name, array in theirs.params.items()}, ours.params)
    velocity = {name: there.get(array) for name, array in strict_sgd.velocity.items()}
    assert tiny.same(velocity, sgd.velocity)
    rates = error_rates(theirs, data.test, Recipe().seen(data.mean, there), tops=(1, 2, 5))
    assert rates == error_rates(ours, data.test, Recipe().seen(data.mean, CPU), tops=(1, 2, 5))


# ---------------------------------------------------------------- augmentation


class Spy:
    """A network that keeps what it was shown in training."""

    def __init__(self, net):
        self.net, self.shown = net, []

    params = property(
        lambda self: self.net.params, lambda self, params: setattr(self.net, "params", params)
    )

    def forward(self, x, rng=None):
        self.shown.append(x)
        return self.net.forward(x, rng)

    def backward(self, dy, cache):
        return self.net.backward(dy, cache)

    def __call__(self, x):
        assert x.shape[1:] == (8, 8, 3)
        return self.net(x)


def test_training_sees_crops_and_mirror_images_that_depend_on_seed_epoch_and_step():
    data = tiny.dataset(train=20, test=11, size=11)
    recipe, spy = small(crop=8, flip=True, seed=4), Spy(tiny.network())
    trained(spy, data, recipe)
    batches, places = iter(spy.shown), set()
    for epoch in range(2):
        order = generator("order", 4, epoch).permutation(20)
        for step in range(3):
            rng = generator("augmentation", 4, epoch, step)
            images = data.train.images[order[8 * step : 8 * (step + 1)]]
            tops, lefts = rng.integers(4, size=len(images)), rng.integers(4, size=len(images))
            mirrored = rng.random(len(images)) < 0.5
            # The mean of the central part, whatever part is seen: 11 - 8 leaves one row above.
            mean = data.mean[1:9, 1:9]
            for seen, image, top, left, flip in zip(
                next(batches), images, tops, lefts, mirrored, strict=True
            ):
                part = image[top : top + 8, left : left + 8]
                part = part[:, ::-1] if flip else part
                np.testing.assert_array_equal(seen, (part - mean) * np.float32(0.5))
                places.add((top, left, flip))
    assert next(batches, None) is None
    assert len(places) > 15


def test_colours_are_shifted_for_as_many_epochs_as_the_recipe_says():
    data = tiny.dataset(train=16, test=11, size=8)
    recipe = small(colour=0.5, colour_epochs=1.0, colour_tone=True, seed=4)
    spy = Spy(tiny.network())
    trained(spy, data, recipe)
    for epoch, shown in enumerate((spy.shown[:2], spy.shown[2:])):
        order = generator("order", 4, epoch).permutation(16)
        for step, x in enumerate(shown):
            images = data.train.images[order[8 * step : 8 * (step + 1)]]
            expected = images - data.mean
            if epoch == 0:
                drawn = generator("augmentation", 4, epoch, step).normal(0, 0.5, (8, 3))
                shifts = (drawn * data.colours.deviations) @ data.colours.directions.T
                assert abs(shifts).max() > 5
                expected = (expected + shifts[:, None, None]) / 1.5
            np.testing.assert_allclose(x, expected * 0.5, rtol=1e-4, atol=1e-3)


def test_augmented_training_on_the_strict_device_is_that_of_numpy():
    data = tiny.dataset(train=20, test=11, size=40)
    recipe = for_mini(crop=32, flip=True, share=2, colour=0.3)
    ours, theirs = mini_with(), mini_with()
    losses, *_ = trained(ours, data, recipe)
    assert trained(theirs, data, recipe, strict.device())[0] == losses


def test_augmented_training_goes_on_to_the_bit_in_the_middle_of_an_epoch():
    data = tiny.dataset(train=20, test=11, size=11)
    recipe = small(crop=8, flip=True)
    whole, parts = tiny.network(), tiny.network()
    trained(whole, data, recipe)
    sgd, progress = recipe.optimiser(), Progress()
    for _ in zip(range(2), train(parts, sgd, data, recipe, CPU, progress), strict=False):
        pass
    for _ in train(parts, sgd, data, recipe, CPU, copy.deepcopy(progress)):
        pass
    assert tiny.same(parts.params, whole.params)


# ---------------------------------------------------------------- what comes home from a GPU


def counting(there):
    """The device, and a list that grows whenever something comes home from it."""
    came = []

    def get(array):
        came.append(array.size)
        return there.get(array)

    return dataclasses.replace(there, get=get), came


def test_numbers_come_home_every_few_steps_and_at_the_end_of_an_epoch(monkeypatch):
    """The strict device refuses every other way home, so what is counted is all there is."""
    monkeypatch.setattr(loop, "TOGETHER", 4)
    monkeypatch.setattr(loop, "wrong_counts", lambda *given: [6])
    data, recipe = tiny.dataset(train=80, size=8), small()
    there, came = counting(strict.device())
    net, progress = tiny.network(), Progress()
    net.params = {name: there.put(array) for name, array in net.params.items()}
    groups, seen = [], []
    for losses in train(net, recipe.optimiser(), data, recipe, there, progress):
        groups.append(len(losses))
        seen.append((progress.epoch, progress.step, progress.images))
    assert groups == [4, 4, 2] * 2
    # The losses and the counts of mistakes: two transfers, however many steps.
    assert came == [4, 4, 4, 4, 2, 2] * 2
    assert seen == [(0, 4, 32), (0, 8, 64), (1, 0, 0), (1, 4, 32), (1, 8, 64), (2, 0, 0)]


@pytest.mark.parametrize("together", [1, 3, 50])
def test_how_many_steps_come_home_together_changes_nothing(together, monkeypatch):
    monkeypatch.setattr(loop, "TOGETHER", together)
    data, recipe = tiny.dataset(train=36, size=8), small()
    expected, _, history = trained(tiny.network(), data, recipe)
    losses, _, rows = trained(tiny.network(), data, recipe, strict.device())
    assert losses == expected
    assert untimed(rows) == untimed(history)


def test_a_run_that_was_saved_between_goes_on_with_the_same_groups(monkeypatch):
    monkeypatch.setattr(loop, "TOGETHER", 4)
    data, recipe, there = tiny.dataset(train=80, size=8), small(epochs=1), strict.device()
    net, sgd, progress = tiny.network(), recipe.optimiser(), Progress()
    net.params = {name: there.put(array) for name, array in net.params.items()}
    whole = train(net, sgd, data, recipe, there, progress)
    first = next(whole)
    rest = train(net, sgd, data, recipe, there, copy.deepcopy(progress))
    assert [len(losses) for losses in (first, *rest)] == [4, 4, 2]
