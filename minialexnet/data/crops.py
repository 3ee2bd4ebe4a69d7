"""The parts of pictures to be tested on: the centre, or ten (paper, section 4.1).

They work on pictures wherever those are.
"""

# How a picture is looked at in a test.
CROPS = ("center", "ten")


def center(images, size: int):
    """The central part of each picture.

    Parameters
    ----------
    images : (N, H, W, 3), or one picture, (H, W, 3)
    size : side of the part, pixels

    Returns
    -------
    (N, size, size, 3), or (size, size, 3), a view
    """
    height, width, _ = images.shape[-3:]
    top, left = (height - size) // 2, (width - size) // 2
    return images[..., top : top + size, left : left + size, :]


def ten_crops(images, size: int) -> list:
    """The four corners, the centre, and their mirror images.

    Parameters
    ----------
    images : (N, H, W, 3)
    size : side of a part, pixels

    Returns
    -------
    ten views of (N, size, size, 3)
    """
    first, last = slice(None, size), slice(-size, None)
    corners = [(rows, columns) for rows in (first, last) for columns in (first, last)]
    parts = [images[:, rows, columns] for rows, columns in corners]
    parts.append(center(images, size))
    return parts + [part[:, :, ::-1] for part in parts]
