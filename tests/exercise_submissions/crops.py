"""Answers to the exercise on crops and flips."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.data.augment import Views, parts

HERE = Submissions()


def _cut(images, which, views, size, down=0, across=0):
    """Part by part, without mirroring; begun so many pixels too far down and across."""
    if not size:
        return images[which]
    tops = np.clip(views.tops + down, 0, images.shape[1] - size)
    lefts = np.clip(views.lefts + across, 0, images.shape[2] - size)
    places = zip(which, tops, lefts, strict=True)
    return np.array([images[n, i : i + size, j : j + size] for n, i, j in places])


def _mirrored(seen, mirrored, axis=2):
    seen = seen.copy()
    seen[mirrored] = np.flip(seen[mirrored], axis)
    return seen


@HERE.correct
def list_of_parts(images, which, views, size=0):
    found = []
    for n, picture in enumerate(which):
        part = images[picture]
        if size:
            top, left = views.tops[n], views.lefts[n]
            part = part[top : top + size, left : left + size]
        found.append(part[:, ::-1] if views.mirrored[n] else part)
    return np.stack(found)


@HERE.correct
def pixel_by_pixel(images, which, views, size=0):
    rows, columns = (size, size) if size else images.shape[1:3]
    seen = np.zeros((len(which), rows, columns, 3), images.dtype)
    for n, i, j in np.ndindex(seen.shape[:3]):
        top, left = (views.tops[n], views.lefts[n]) if size else (0, 0)
        across = columns - 1 - j if views.mirrored[n] else j
        seen[n, i, j] = images[which[n], top + i, left + across]
    return seen


@HERE.correct
def indices(images, which, views, size=0):
    """All rows and columns as arrays of indices; the mirrored ones count backwards."""
    rows, columns = (size, size) if size else images.shape[1:3]
    tops, lefts = (views.tops, views.lefts) if size else (0 * views.tops, 0 * views.lefts)
    i = tops[:, None] + np.arange(rows)
    j = np.arange(columns) + np.zeros((len(which), 1), int)
    j = lefts[:, None] + np.where(views.mirrored[:, None], columns - 1 - j, j)
    return images[np.asarray(which)[:, None, None], i[:, :, None], j[:, None, :]]


@HERE.correct
def where(images, which, views, size=0):
    seen = _cut(images, which, views, size)
    return np.where(views.mirrored[:, None, None, None], seen[:, :, ::-1], seen)


@HERE.mistake("none are mirrored")
def never_mirrored(images, which, views, size=0):
    return _cut(images, which, views, size)


@HERE.mistake("all are mirrored")
def always_mirrored(images, which, views, size=0):
    return _cut(images, which, views, size)[:, :, ::-1].copy()


@HERE.mistake("the others are mirrored")
def others_mirrored(images, which, views, size=0):
    return _mirrored(_cut(images, which, views, size), ~views.mirrored)


@HERE.mistake("turned upside down")
def upside_down(images, which, views, size=0):
    return _mirrored(_cut(images, which, views, size), views.mirrored, 1)


@HERE.mistake("turned by 180 degrees")
def turned(images, which, views, size=0):
    return _mirrored(_cut(images, which, views, size), views.mirrored, (1, 2))


@HERE.mistake("the colours are turned round")
def colours_turned(images, which, views, size=0):
    return _mirrored(_cut(images, which, views, size), views.mirrored, 3)


@HERE.mistake("tops and lefts are swapped")
def tops_and_lefts_swapped(images, which, views, size=0):
    if not size:
        return parts(images, which, views, size)
    places = zip(which, views.lefts, views.tops, strict=True)
    # What is beyond the edge is cut off by NumPy: pushed back into the picture instead.
    limits = images.shape[1] - size, images.shape[2] - size
    found = [
        images[n, min(i, limits[0]) :][:size, min(j, limits[1]) :][:, :size] for n, i, j in places
    ]
    return _mirrored(np.array(found), views.mirrored)


@HERE.mistake("which is ignored")
def which_ignored(images, which, views, size=0):
    return parts(images, np.arange(len(which)) % len(images), views, size)


@HERE.mistake("cut first")
def mirrored_before_cut(images, which, views, size=0):
    whole = _mirrored(images[which], views.mirrored)
    return _cut(whole, np.arange(len(which)), views, size)


@HERE.mistake("one row too far down")
def one_row_too_low(images, which, views, size=0):
    return _mirrored(_cut(images, which, views, size, down=1), views.mirrored)


@HERE.mistake("one column aside")
def one_column_aside(images, which, views, size=0):
    return _mirrored(_cut(images, which, views, size, across=-1), views.mirrored)


@HERE.mistake("rows and columns of the parts are swapped")
def turned_on_their_side(images, which, views, size=0):
    seen = parts(images, which, views, size)
    return seen.swapaxes(1, 2).copy() if size else seen


@HERE.mistake("all have the place of the first part")
def one_place_for_all(images, which, views, size=0):
    tops, lefts = (np.full_like(places, places[0]) for places in (views.tops, views.lefts))
    return parts(images, which, Views(tops, lefts, views.mirrored), size)


@HERE.mistake("all parts are from the middle")
def from_the_middle(images, which, views, size=0):
    if not size:
        return parts(images, which, views)
    tops = np.full_like(views.tops, (images.shape[1] - size) // 2)
    lefts = np.full_like(views.lefts, (images.shape[2] - size) // 2)
    return parts(images, which, Views(tops, lefts, views.mirrored), size)


@HERE.mistake("whole pictures")
def not_cut(images, which, views, size=0):
    return images[which]


@HERE.mistake("images was written into")
def mirrors_the_data(images, which, views, size=0):
    seen = parts(images, which, views, size)
    images[which[views.mirrored]] = images[which[views.mirrored]][:, :, ::-1]
    return seen


@HERE.mistake("pixels stay what they are")
def becomes_float64(images, which, views, size=0):
    seen = np.zeros(parts(images, which, views, size).shape)
    seen += parts(images, which, views, size)
    return seen


@HERE.mistake("no division by 255")
def divided_by_255(images, which, views, size=0):
    return parts(images, which, views, size) / 255


@HERE.mistake(None)
def square_pictures_only(images, which, views, size=0):
    """lefts are kept within the number of rows."""
    lefts = np.minimum(views.lefts, images.shape[1] - size) if size else views.lefts
    tops = np.minimum(views.tops, images.shape[2] - size) if size else views.tops
    return parts(images, which, Views(tops, lefts, views.mirrored), size)


@HERE.mistake(None)
def size_zero_forgotten(images, which, views, size=0):
    places = zip(which, views.tops, views.lefts, strict=True)
    return _mirrored(
        np.array([images[n, i : i + size, j : j + size] for n, i, j in places]), views.mirrored
    )
