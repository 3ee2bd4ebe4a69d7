"""The one door for picture files: any of them comes in as (H, W, 3) uint8, red, green and blue."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from minialexnet.errors import InputError, reading

# What data sets are made of. Some others begin with no certain bytes, so that a damaged file could
# pass for one of them.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")


def every_format() -> tuple[str, ...]:
    """All that Pillow reads by itself: for EPS it would start another program."""
    Image.init()
    return tuple(name for name in Image.OPEN if name != "EPS")


def pixels(path: str | Path, formats: tuple[str, ...] = FORMATS) -> np.ndarray:
    """The pixels of a picture file.

    Parameters
    ----------
    formats : those that are accepted, by Pillow's names

    Returns
    -------
    (H, W, 3) uint8, RGB

    Raises
    ------
    InputError
        If the file is missing, a folder, or not a picture as `decoded` wants it.
    """
    try:
        content = Path(path).read_bytes()
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise InputError(f"{path}: {error.strerror}") from error
    return decoded(content, str(path), formats)[0]


def decoded(
    content: bytes, name: str, formats: tuple[str, ...] = FORMATS
) -> tuple[np.ndarray, str]:
    """The pixels of a picture, and what kind of picture it was.

    Parameters
    ----------
    content : what is in the file
    name : what messages call it
    formats : those that are accepted, by Pillow's names

    Returns
    -------
    pixels : (H, W, 3) uint8, RGB
    kind : format and mode, such as "JPEG RGB", "JPEG CMYK" or "PNG RGBA"

    Raises
    ------
    InputError
        If it is empty, cut short, broken, no picture, or has so many pixels that Pillow takes it
        for an attack.

    Notes
    -----
    ImageNet holds grey pictures, CMYK ones, and a PNG file named .JPEG: the content decides, not
    the name. What is transparent is shown on white, 16 bits lose their lower half. A rotation
    noted by the camera (EXIF) is not applied, because the programs behind published results apply
    none.
    """
    with reading(f"{name}: broken picture"), warnings.catch_warnings():
        # Corrupt EXIF data spoil no pixel and nobody can mend them: no word about those.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content), formats=formats) as picture:
                return np.array(_rgb(picture)), f"{picture.format} {picture.mode}"
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise InputError(
                f"{name}: expected at most {Image.MAX_IMAGE_PIXELS} pixels: {error}"
            ) from error
        except UnidentifiedImageError as error:
            if not content:
                raise InputError(f"{name}: the file is empty") from error
            known = ", ".join(formats) if formats == FORMATS else "of any kind that Pillow reads"
            raise InputError(f"{name}: expected a picture ({known})") from error


def square(image: np.ndarray, size: int) -> np.ndarray:
    """The central square of a picture, scaled.

    Parameters
    ----------
    image : (H, W, 3) uint8
    size : side of the result, pixels

    Returns
    -------
    (size, size, 3) uint8; a part of `image` itself, unscaled, where the shorter side fits already

    Notes
    -----
    Section 2 of the paper scales the shorter side to `size` and then cuts out the central square.
    Cutting first gives the same view, to half a pixel, and needs no memory for what a long picture
    loses anyway. Bilinear, with the triangle widened when scaling down so that every pixel counts
    (antialiasing): the paper names no filter, and unlike bicubic this one never overshoots.
    """
    height, width, _ = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    central = image[top : top + side, left : left + side]
    if side == size:
        return central
    return np.array(Image.fromarray(central).resize((size, size), Image.Resampling.BILINEAR))


def _rgb(picture):
    if picture.mode.startswith("I"):
        # 16-bit grey, which Pillow's own conversion would cut off at 255.
        grey = np.array(picture) >> 8
        return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")
