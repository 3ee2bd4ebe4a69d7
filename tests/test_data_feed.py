"""Batches made ahead of time: every picture once, in the order drawn, none lost or reordered."""

import threading
import time
from itertools import chain, islice

import numpy as np
import pytest
import tiny
from accelerators import on_each_accelerator

from minialexnet.backend import device
from minialexnet.data import Feed, Look, Split, Views, feed, mapped, prepared, seen

CPU = device("cpu")


def numbered(count, side=2):
    """Pictures whose first pixel, and whose label, is their number."""
    images = np.zeros((count, side, side, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(count)
    return Split(images, np.arange(count))


def plain(step, count):
    """Views of whole pictures as they are."""
    places = np.zeros(count, np.int64)
    return Views(places, places, np.zeros(count, bool))


def fed(split, size, order=None, start=0, views=plain, there=CPU, crop=0):
    see = seen(np.zeros((crop or 2, crop or 2, 3), np.float32), 1.0, 0, there)
    order = np.arange(len(split.labels)) if order is None else order
    return Feed(split, order, size, Look(crop, views), see, start)


def labels(feed):
    """The labels of all batches, once they were found to be those of their pictures."""
    drawn = []
    for x, numbers in feed:
        assert x.dtype == np.float32
        assert x[:, 0, 0, 0].tolist() == numbers.tolist()
        drawn.append(numbers.tolist())
    return drawn


@pytest.mark.parametrize(("count", "sizes"), [(12, [4, 4, 4]), (13, [4, 4, 4, 1]), (3, [3])])
def test_every_picture_comes_once_and_the_last_batch_may_be_short(count, sizes):
    drawn = labels(fed(numbered(count), 4, np.random.default_rng(0).permutation(count)))
    assert [len(batch) for batch in drawn] == sizes
    assert sorted(chain(*drawn)) == list(range(count))


def test_the_order_is_the_one_given():
    order = np.random.default_rng(3).permutation(50)
    assert list(chain(*labels(fed(numbered(50), 7, order)))) == order.tolist()


@pytest.mark.parametrize("start", [0, 1, 3, 4, 9])
def test_what_was_used_already_is_left_out(start):
    order = np.random.default_rng(3).permutation(13)
    whole = labels(fed(numbered(13), 4, order))
    assert labels(fed(numbered(13), 4, order, start)) == whole[start:]


def test_batches_keep_their_order_however_long_each_takes():
    def views(step, count):
        time.sleep(0.02 * (step % 3 == 0))
        return plain(step, count)

    assert list(chain(*labels(fed(numbered(60), 4, views=views)))) == list(range(60))


def test_views_are_those_of_their_step():
    asked = []

    def views(step, count):
        asked.append((step, count))
        return plain(step, count)

    labels(fed(numbered(13), 4, start=1, views=views))
    assert sorted(asked) == [(1, 4), (2, 4), (3, 1)]


def test_no_more_batches_are_made_ahead_than_may_be():
    begun = []

    def views(step, count):
        begun.append(step)
        return plain(step, count)

    batches = iter(fed(numbered(80), 4, views=views))
    for number, _ in enumerate(islice(batches, 5), 1):
        time.sleep(0.02)
        assert max(begun) + 1 == number + feed.AHEAD
    batches.close()


def test_the_time_that_is_waited_is_told():
    def slow(step, count):
        time.sleep(0.1 if step == 0 else 0)
        return plain(step, count)

    slowly = fed(numbered(12), 4, views=slow)
    waits = [slowly.waited for _ in slowly if time.sleep(0.02) is None]
    assert waits[0] > 0.09
    assert max(waits[1:]) < 0.05


def test_threads_end_with_the_epoch_or_when_nobody_wants_more():
    def feeding():
        return [t for t in threading.enumerate() if t.name.startswith("feed")]

    batches = iter(fed(numbered(40), 4))
    next(batches)
    assert feeding()
    batches.close()
    assert not feeding()
    labels(fed(numbered(40), 4))
    assert not feeding()


def test_what_goes_wrong_in_the_background_is_raised_where_the_batch_is_wanted():
    def views(step, count):
        if step == 2:
            raise OSError("the disk is gone")
        return plain(step, count)

    batches = iter(fed(numbered(40), 4, views=views))
    next(batches)
    next(batches)
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)


def test_pictures_on_disk_are_drawn_into_memory(data_folder):
    train = prepared(data_folder).train
    order = np.random.default_rng(0).permutation(len(train.labels))
    feed = Feed(train, order, 5, Look(0, plain), seen(np.zeros((32, 32, 3), np.float32), 1, 0, CPU))
    images, _, _ = next(feed.batches())
    assert not isinstance(images.base if images.base is not None else images, np.memmap)
    assert np.array_equal(images, train.images[order[:5]])
    images[:] = 0


def test_mapped_memory_is_given_back_and_read_again(tmp_path, monkeypatch):
    data = prepared(tiny.prepared(tmp_path / "set", train=40))
    forgotten = []
    kept = mapped.forget
    monkeypatch.setattr(feed, "KEPT", 12 * 32 * 32 * 3)
    monkeypatch.setattr(feed, "forget", lambda images: forgotten.append(1) or kept(images))
    one = Feed(data.train, np.arange(40), 4, Look(0, plain), seen(data.mean, 1, 0, CPU))
    drawn = np.concatenate([images for images, _, _ in one.batches()])
    assert len(forgotten) == 3
    assert np.array_equal(drawn, tiny.dataset(train=40).train.images)


@on_each_accelerator
def test_a_gpu_gets_the_same_parts_as_a_processor(on):
    split = Split(np.random.default_rng(0).integers(0, 256, (21, 9, 9, 3), np.uint8), np.arange(21))

    def views(step, count):
        rng = np.random.default_rng(step)
        shifts = rng.normal(size=(count, 3)).astype(np.float32)
        places = rng.integers(4, size=(2, count))
        return Views(*places, rng.random(count) < 0.5, shifts, 0.5)

    pairs = zip(
        fed(split, 4, views=views, crop=6),
        fed(split, 4, views=views, crop=6, there=on),
        strict=True,
    )
    for (x, numbers), (their_x, their_numbers) in pairs:
        assert np.array_equal(on.get(their_x), x)
        assert np.array_equal(on.get(their_numbers), numbers)
