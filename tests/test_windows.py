"""Sliding windows against loops over their pixels."""

from itertools import product

import numpy as np
import pytest

from minialexnet.windows import add_windows, cropped, output_size, padded, taps, windows

GEOMETRIES = [
    pytest.param(height, width, kernel, stride, id=f"{height}x{width} K{kernel} S{stride}")
    for height, width, kernel, stride in [
        (5, 5, 1, 1),
        (4, 7, 3, 1),
        (7, 4, 3, 2),
        (8, 6, 3, 2),
        (9, 7, 4, 3),
        (7, 10, 2, 3),
        (3, 3, 3, 2),
        (19, 23, 11, 4),
    ]
]


def numbered(shape):
    """A picture in which every entry is another number."""
    return np.arange(1.0, 1 + np.prod(shape)).reshape(shape)


def random(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_output_size_counts_whole_windows():
    for size, kernel, stride in product(range(1, 13), range(1, 6), range(1, 6)):
        if kernel > size:
            continue
        starts = [start for start in range(0, size, stride) if start + kernel <= size]
        assert output_size(size, kernel, stride) == len(starts)


def test_output_size_ceil_covers_all_that_windows_can_reach():
    """As long as pixels are left behind the last window, another, if it starts on the picture."""
    for size, kernel, stride in product(range(1, 13), range(1, 6), range(1, 6)):
        if kernel > size:
            continue
        count = 1
        while (count - 1) * stride + kernel < size and count * stride < size:
            count += 1
        assert output_size(size, kernel, stride, ceil=True) == count


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "ceil", "expected"),
    [
        (227, 11, 4, False, 55),
        (224, 11, 4, False, 54),
        (224, 11, 4, True, 55),
        (55, 3, 2, False, 27),
        (32, 3, 2, False, 15),
        (32, 3, 2, True, 16),
        (6, 1, 5, True, 2),
        (5, 1, 5, True, 1),
    ],
)
def test_famous_output_sizes(size, kernel, stride, ceil, expected):
    assert output_size(size, kernel, stride, ceil) == expected


def test_a_window_that_does_not_fit():
    with pytest.raises(ValueError, match=r"^a window of 5 pixels does not fit into 3 pixels$"):
        output_size(3, 5, 2)


def test_a_window_may_hang_over_a_picture_of_any_size_but_none():
    assert [output_size(size, 5, 2, ceil=True) for size in (1, 2, 3, 4, 5, 6)] == [1, 1, 1, 1, 1, 2]
    with pytest.raises(ValueError, match=r"^a window of 5 pixels does not fit into 0 pixels$"):
        output_size(0, 5, 2, ceil=True)


@pytest.mark.parametrize(("height", "width", "kernel", "stride"), GEOMETRIES)
def test_windows_are_what_a_loop_cuts_out(height, width, kernel, stride):
    x = numbered((2, height, width, 3))
    view = windows(x, kernel, stride)
    rows, columns = output_size(height, kernel, stride), output_size(width, kernel, stride)
    assert view.shape == (2, rows, columns, kernel, kernel, 3)
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride, j * stride
        cut = x[:, top : top + kernel, left : left + kernel]
        np.testing.assert_array_equal(view[:, i, j], cut)


def test_windows_copy_nothing():
    x = numbered((1, 4, 4, 1))
    view = windows(x, 2, 1)
    x[0, 1, 1, 0] = -1
    assert np.shares_memory(view, x)
    assert (view == -1).sum() == 4


def test_windows_of_a_view():
    """A share of the channels, as Parallel cuts it, has gaps between its pixels."""
    x = numbered((2, 5, 6, 4))
    np.testing.assert_array_equal(windows(x[..., 2:], 3, 2), windows(x[..., 2:].copy(), 3, 2))


@pytest.mark.parametrize("pad", [0, 1, 2])
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(("height", "width", "kernel", "stride"), GEOMETRIES)
def test_taps_meet_every_pixel_of_every_window_once(height, width, kernel, stride, ceil, pad):
    """x holds the pixels' coordinates and y the windows', so that each pair can be read off."""
    rows = output_size(height + 2 * pad, kernel, stride, ceil)
    columns = output_size(width + 2 * pad, kernel, stride, ceil)
    x = np.stack(np.mgrid[:height, :width], axis=-1)[None]
    y = np.stack(np.mgrid[:rows, :columns], axis=-1)[None]
    met = []
    for place, (window, pixel) in enumerate(taps(x.shape, y.shape, kernel, stride, pad)):
        assert y[window].shape == x[pixel].shape
        met += [
            (place, *map(int, here), *map(int, there))
            for here, there in zip(y[window].reshape(-1, 2), x[pixel].reshape(-1, 2), strict=True)
        ]
    expected = [
        (i * kernel + j, row, column, row * stride + i - pad, column * stride + j - pad)
        for i, j, row, column in np.ndindex(kernel, kernel, rows, columns)
        if 0 <= row * stride + i - pad < height and 0 <= column * stride + j - pad < width
    ]
    assert met == expected


def test_windows_that_see_nothing_of_the_picture():
    """With more padding than kernel, whole windows lie outside; no tap may reach around."""
    seen = np.zeros((1, 8, 8, 1))
    for window, pixel in taps((1, 3, 3, 1), seen.shape, 2, 1, pad=3):
        assert np.zeros((1, 3, 3, 1))[pixel].shape == seen[window].shape
        seen[window] += 1
    assert seen[0, 1, 1, 0] == 0
    assert seen[0, 2, 2, 0] == 1
    assert seen.sum() == 3 * 3 * 4


@pytest.mark.parametrize(("height", "width", "kernel", "stride"), GEOMETRIES)
def test_add_windows_adds_each_window_where_it_was(height, width, kernel, stride):
    rows, columns = output_size(height, kernel, stride), output_size(width, kernel, stride)
    dwindows = numbered((2, rows, columns, kernel, kernel, 3))
    expected = np.zeros((2, height, width, 3))
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride, j * stride
        expected[:, top : top + kernel, left : left + kernel] += dwindows[:, i, j]
    np.testing.assert_array_equal(add_windows(dwindows, expected.shape, stride), expected)


@pytest.mark.parametrize(("height", "width", "kernel", "stride"), GEOMETRIES)
def test_add_windows_is_the_transpose_of_windows(height, width, kernel, stride):
    x = random((2, height, width, 3))
    view = windows(x, kernel, stride)
    dwindows = random(view.shape, seed=1)
    there = (view * dwindows).sum()
    back = (x * add_windows(dwindows, x.shape, stride)).sum()
    assert there == pytest.approx(back, rel=1e-12)


PADS = [((0, 0), (0, 0)), ((1, 1), (1, 1)), ((1, 2), (0, 3)), ((0, 0), (2, 0))]


@pytest.mark.parametrize("pad", PADS)
def test_padded_is_a_frame_of_zeros(pad):
    x = numbered((2, 3, 4, 2)).astype(np.float32)
    y = padded(x, pad)
    np.testing.assert_array_equal(y, np.pad(x, ((0, 0), *pad, (0, 0))))
    assert y.dtype == np.float32


def test_without_padding_nothing_is_copied():
    x = numbered((2, 3, 4, 2))
    assert padded(x, PADS[0]) is x


@pytest.mark.parametrize("pad", PADS)
def test_cropped_takes_the_frame_away(pad):
    x = numbered((2, 3, 4, 2))
    framed = padded(x, pad)
    np.testing.assert_array_equal(cropped(framed, pad), x)
    assert np.shares_memory(cropped(framed, pad), framed)
