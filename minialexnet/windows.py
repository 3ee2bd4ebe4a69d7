"""Sliding a window over a picture: the one idea behind convolution and pooling.

Two ways to look at the same thing:

* `windows` shows every window whole, as a view: nothing is copied. Reshaped to a matrix with one
  row a window it is the famous im2col, and convolution becomes a single matrix product.
* `taps` goes through the K x K places of a window instead, and pairs each place with the pixels
  that all windows see there. Pooling takes a maximum or a sum over them.

`add_windows` is the transpose of `windows` (col2im): every window adds what it holds to the
pixels it was taken from.
"""

from collections.abc import Iterator

from minialexnet.backend import namespace

Index = tuple[slice, slice, slice]


def output_size(size: int, kernel: int, stride: int, ceil: bool = False) -> int:
    """How many windows fit along one side: OH from H, or OW from W.

    Parameters
    ----------
    size : side of the (already padded) picture, pixels
    kernel, stride : K and S, pixels
    ceil : False drops the pixels that a last whole window would overrun. True keeps them in a
        window that hangs over the edge, as cuda-convnet does (and Caffe, in its pooling layers).

    Raises
    ------
    ValueError
        If not even one window fits.
    """
    if not ceil:
        count = (size - kernel) // stride + 1
    else:
        # The first window is there however big it is, and none begins off the picture.
        count = min(max(0, -((kernel - size) // stride)) + 1, -(-size // stride))
    if count < 1:
        raise ValueError(f"a window of {kernel} pixels does not fit into {size} pixels")
    return count


def windows(x, kernel: int, stride: int):
    """Every K x K window of a batch of pictures.

    Parameters
    ----------
    x : (N, H, W, C)

    Returns
    -------
    (N, OH, OW, K, K, C), a view of x: do not write into it. Reshaped to (N OH OW, K K C) it becomes
    a copy, in which a pixel appears in as many rows as windows see it.
    """
    n, height, width, channels = x.shape
    rows = output_size(height, kernel, stride)
    columns = output_size(width, kernel, stride)
    image, row, column, channel = x.strides
    return namespace(x).lib.stride_tricks.as_strided(
        x,
        (n, rows, columns, kernel, kernel, channels),
        (image, stride * row, stride * column, row, column, channel),
    )


def taps(x_shape, y_shape, kernel: int, stride: int, pad: int = 0) -> Iterator[tuple[Index, Index]]:
    """For each of the K x K places in a window: which windows see a pixel there, and which pixel.

    Parameters
    ----------
    x_shape : shape that begins with (N, H, W), the pictures
    y_shape : shape that begins with (N, OH, OW), one entry a window
    pad : how far the first window begins before the picture, pixels

    Yields
    ------
    (window, pixel) in reading order: ``x[pixel]`` are the pixels that the windows ``y[window]``
    have at this place. Windows that hang over the edge are left out where they see no pixel.
    """
    for i in range(kernel):
        window_rows, pixel_rows = _seen(x_shape[1], y_shape[1], i - pad, stride)
        for j in range(kernel):
            window_columns, pixel_columns = _seen(x_shape[2], y_shape[2], j - pad, stride)
            yield (
                (slice(None), window_rows, window_columns),
                (slice(None), pixel_rows, pixel_columns),
            )


def line_taps(x_shape, y_shape, axis: int, kernel: int, stride: int) -> Iterator[tuple]:
    """`taps` along one axis alone, for what is done to rows and to columns in turn.

    Yields
    ------
    (window, pixel) in rising order, K of them
    """
    whole = (slice(None),) * axis
    for place in range(kernel):
        windows, pixels = _seen(x_shape[axis], y_shape[axis], place, stride)
        yield (*whole, windows), (*whole, pixels)


def _seen(size: int, count: int, offset: int, stride: int) -> tuple[slice, slice]:
    """The windows o with a pixel at o * stride + offset, and those pixels, along one side."""
    first = max(0, -(offset // stride))
    last = max(first, min(count, -((offset - size) // stride)))
    return (
        slice(first, last),
        slice(first * stride + offset, last * stride + offset, stride),
    )


def add_windows(dwindows, x_shape, stride: int):
    """Every window added to the pixels it covers (col2im), the transpose of `windows`.

    Parameters
    ----------
    dwindows : (N, OH, OW, K, K, C)
    x_shape : (N, H, W, C), the shape of what `windows` was given

    Returns
    -------
    (N, H, W, C)

    Notes
    -----
    Windows cut into blocks of S x S pixels meet only block on block. So a block of all windows is
    added at a time: (K / S)² additions instead of K², which is 4 instead of 64 for K = 8, S = 4.
    """
    n, rows, columns, kernel, _, channels = dwindows.shape
    across = -(-kernel // stride)
    grid = (n, rows + across - 1, stride, columns + across - 1, stride, channels)
    total = namespace(dwindows).zeros(grid, dwindows.dtype)
    for i in range(across):
        for j in range(across):
            first, left = i * stride, j * stride
            block = dwindows[:, :, :, first : first + stride, left : left + stride].swapaxes(2, 3)
            _, _, high, _, wide, _ = block.shape
            total[:, i : i + rows, :high, j : j + columns, :wide] += block
    total = total.reshape(n, grid[1] * stride, grid[3] * stride, channels)
    # Pixels that no window sees may be missing; others may be too many, and hold zeros.
    missing = [
        (0, max(0, size - has)) for size, has in zip(x_shape[1:3], total.shape[1:3], strict=True)
    ]
    return padded(total, missing)[:, : x_shape[1], : x_shape[2]]


def padded(x, pad):
    """The pictures with a frame of zeros.

    Parameters
    ----------
    x : (N, H, W, C)
    pad : ((top, bottom), (left, right)), pixels

    Returns
    -------
    (N, top + H + bottom, left + W + right, C); x itself where there is nothing to add
    """
    (top, bottom), (left, right) = pad
    if not (top or bottom or left or right):
        return x
    n, height, width, channels = x.shape
    y = namespace(x).zeros((n, top + height + bottom, left + width + right, channels), x.dtype)
    y[:, top : top + height, left : left + width] = x
    return y


def cropped(x, pad):
    """The pictures without their frame, a view: the transpose of `padded`.

    Parameters
    ----------
    x : (N, top + H + bottom, left + W + right, C)
    pad : ((top, bottom), (left, right)), pixels

    Returns
    -------
    (N, H, W, C)
    """
    (top, bottom), (left, right) = pad
    return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]
