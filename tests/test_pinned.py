"""Batches on their way to a GPU: no picture is mixed up, however late the GPU is."""

import time
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from accelerators import ACCELERATORS
from pinned_standin import Mixed, StandIn

from minialexnet import strict
from minialexnet.backend import device
from minialexnet.data import Feed, Look, Split, Views, seen
from minialexnet.pinned import Pinned

CPU = device("cpu")


@pytest.fixture
def gpu(monkeypatch):
    made = StandIn()
    copied = lambda there, arr, stream=None: made.set(there, arr, stream)  # noqa: E731
    monkeypatch.setattr(strict.Array, "set", copied, raising=False)
    return made


def through(gpu, kind=Pinned):
    """The strict device, with pinned buffers of a kind."""
    return replace(strict.device(), pinned=lambda shape: kind(shape, gpu.cupy, gpu.cupyx))


def views(step, count):
    rng = np.random.default_rng(step)
    shifts = rng.normal(size=(count, 3)).astype(np.float32)
    return Views(*rng.integers(4, size=(2, count)), rng.random(count) < 0.5, shifts, 0.5)


def fed(there, count=37, crop=6, start=0, size=9):
    images = np.random.default_rng(0).integers(0, 250, (count, size, size, 3), np.uint8)
    side = crop or size
    see = seen(np.zeros((side, side, 3), np.float32), 1.0, 0, there)
    order = np.random.default_rng(1).permutation(count)
    return Feed(Split(images, np.arange(count)), order, 4, Look(crop, views), see, start)


def arrays(feed):
    get = feed.see.device.get
    return [(get(x), get(labels), feed.share_now) for x, labels in feed]


def assert_equal(ours, theirs):
    for (x, labels, share), (y, others, other) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(labels, others)
        assert share == other


@pytest.mark.parametrize("numbers", [{}, {"start": 3}, {"count": 3}, {"count": 8, "crop": 0}])
def test_pictures_arrive_as_on_a_cpu(gpu, numbers):
    assert_equal(arrays(fed(through(gpu), **numbers)), arrays(fed(CPU, **numbers)))
    assert gpu.log.count("asked") == gpu.log.count("arrived") > 0


def test_pictures_that_are_a_part_of_others_arrive_too(gpu):
    pairs = []
    for there in (through(gpu), CPU):
        feed = fed(there, size=11)
        feed.split = Split(feed.split.images[:, 1:10, 1:10], feed.split.labels)
        pairs.append(arrays(feed))
    assert_equal(*pairs)


def test_two_batches_are_made_ahead_and_no_third_before_its_buffer_is_free(gpu):
    begun = []
    feed = fed(through(gpu), count=40)
    look = feed.look

    def noted(step, count):
        begun.append(step)
        return look.views(step, count)

    feed.look = Look(look.size, noted)
    batches = iter(feed)
    for number, _ in enumerate(islice(batches, 5), 1):
        time.sleep(0.02)
        assert max(begun) + 1 == number + Pinned.slots
    batches.close()


def test_whoever_stops_waits_for_copies_under_way(gpu):
    feed, kept = fed(through(gpu)), []
    feed.see = replace(
        feed.see, device=through(gpu, lambda *of: kept.append(Pinned(*of)) or kept[0])
    )
    batches = iter(feed)
    next(batches)
    batches.close()
    assert all(copy.known for copy in kept[0].stream.copies)


class Overwriting(Pinned):
    def room(self, slot, count):
        return self.host[slot][:count]


class Hasty(Pinned):
    """Computes before the copy has come."""

    def sent(self, slot, images):
        there = self.there[slot][: len(images)]
        self.stream.wait_event(self.was_read[slot])
        there.set(images, stream=self.stream)
        self.copied[slot].record(self.stream)
        return there


class Reckless(Pinned):
    """Copies before the GPU has read."""

    def read(self, slot):
        pass


def test_the_stand_in_notices_what_a_gpu_would_not(gpu):
    with pytest.raises(Mixed, match="written to while it was being copied"):
        arrays(fed(through(gpu, Overwriting)))
    with pytest.raises(Mixed, match="may not have read yet"):
        arrays(fed(through(gpu, Reckless)))
    with pytest.raises(AssertionError):
        assert_equal(arrays(fed(through(gpu, Hasty))), arrays(fed(CPU)))


@pytest.mark.parametrize("on", ACCELERATORS[1:])
def test_pictures_arrive_on_a_gpu_as_on_a_cpu(on):
    assert on.pinned is not None
    for numbers in ({}, {"start": 3}, {"count": 3}):
        assert_equal(arrays(fed(on, **numbers)), arrays(fed(CPU, **numbers)))
