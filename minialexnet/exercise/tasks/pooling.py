"""What the two exercises on pooling share."""

import numpy as np

from minialexnet.exercise import probe


def covered(layer, shape):
    """For each window (i, j): its rows and columns of the picture, cut off at the edge."""
    _, height, width, _ = shape
    for i in range(_count(height, layer)):
        for j in range(_count(width, layer)):
            row, column = i * layer.stride, j * layer.stride
            yield (
                (i, j),
                slice(row, min(row + layer.kernel, height)),
                slice(column, min(column + layer.kernel, width)),
            )


def _count(size, layer):
    """How many windows there are along a side."""
    if not layer.ceil:
        return (size - layer.kernel) // layer.stride + 1
    count = 1
    while (count - 1) * layer.stride + layer.kernel < size and count * layer.stride < size:
        count += 1
    return count


def output(layer, shape):
    """The shape of y."""
    n, height, width, channels = shape
    return n, _count(height, layer), _count(width, layer), channels


def cases(rng, name, numbers):
    """Overlap, gaps, and windows that hang over the edge; H != W, strides that do not divide."""
    found = []
    for kernel, stride, ceil in ((3, 2, False), (2, 3, False), (3, 2, True)):
        height, width = ((6, 9), (8, 5), (8, 7))[int(rng.integers(3))]
        if stride == 2:
            height, width = ((6, 8), (8, 6), (8, 10), (10, 6))[int(rng.integers(4))]
        shape = (2, height, width, 3)
        found.append(
            probe.Case(
                lambda kind, k=kernel, s=stride, c=ceil: kind(k, stride=s, ceil=c),
                numbers(shape),
                f"{name}({kernel}, stride={stride}, ceil={ceil}), x {shape}",
            )
        )
    return found


def variants(layer):
    """The layer with other settings, and the mistake that amounts to them."""
    yield probe.changed(layer, stride=1), "the stride is ignored"
    yield (
        probe.changed(layer, stride=layer.kernel),
        "windows should be stride apart, not kernel",
    )
    yield (
        probe.changed(layer, ceil=not layer.ceil),
        ("windows that hang over the edge: ceil decides whether there are any"),
    )
    yield probe.changed(layer, kernel=layer.kernel - 1), "the window's last row and column missing"
    yield probe.changed(layer, kernel=layer.kernel + 1), "the window is one row and column too big"


def first_windows(layer, x, dy):
    """y as if window i began at i, not at i * stride."""
    y = probe.changed(layer, stride=1).forward(x)[0]
    return y[:, : dy.shape[1], : dy.shape[2]]


def sent_back(layer, x, dy, share, add=True):
    """dx, where each window sends back dy times share(window of x), (N, k, l, C)."""
    dx = np.zeros(x.shape)
    for (i, j), rows, columns in covered(layer, x.shape):
        back = dy[:, i : i + 1, j : j + 1] * share(x[:, rows, columns])
        if add:
            dx[:, rows, columns] += back
        else:
            dx[:, rows, columns] = np.where(back != 0, back, dx[:, rows, columns])
    return dx


AXES = {"y": probe.PICTURES, "dx": probe.PICTURES}
