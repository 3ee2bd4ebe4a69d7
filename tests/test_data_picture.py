"""Every kind of picture file becomes RGB pixels, or one line that says why not."""

import warnings

import numpy as np
import pytest
from PIL import Image

from minialexnet.data.picture import every_format, pixels, square
from minialexnet.errors import InputError

GREY = np.arange(0, 240, 10, np.uint8).reshape(4, 6)
COLOURS = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)


def refusal(path):
    with pytest.raises(InputError) as caught:
        pixels(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


# ---------------------------------------------------------------- pixels


@pytest.mark.parametrize("suffix", ["png", "bmp"])
def test_rgb_pixels_come_as_they_are(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(COLOURS).save(path)
    image = pixels(path)
    assert image.dtype == np.uint8
    assert np.array_equal(image, COLOURS)
    assert np.array_equal(pixels(str(path)), COLOURS)


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
@pytest.mark.parametrize("suffix", [".JPEG", ".jpg"])
def test_jpeg_in_colour(tmp_path, mode, suffix):
    picture = Image.new("RGB", (16, 8), (200, 100, 30)).convert(mode)
    picture.save(tmp_path / f"a{suffix}", quality=95)
    image = pixels(tmp_path / f"a{suffix}").astype(int)
    assert image.shape == (8, 16, 3)
    assert np.abs(image - [200, 100, 30]).max() <= 3


def test_the_content_decides_and_not_the_name(tmp_path):
    Image.fromarray(COLOURS).save(tmp_path / "a.JPEG", "PNG")
    assert np.array_equal(pixels(tmp_path / "a.JPEG"), COLOURS)


def test_grey_becomes_three_equal_channels(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    assert np.array_equal(pixels(tmp_path / "a.png"), np.stack([GREY] * 3, axis=2))


def test_16_bit_grey_keeps_its_upper_half(tmp_path):
    Image.fromarray(GREY.astype(np.uint16) * 256 + 77).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode.startswith("I")
    assert np.array_equal(pixels(tmp_path / "a.png"), np.stack([GREY] * 3, axis=2))


def test_black_and_white(tmp_path):
    Image.fromarray(GREY > 100).save(tmp_path / "a.png")
    assert np.array_equal(pixels(tmp_path / "a.png")[..., 1], np.where(GREY > 100, 255, 0))


def test_a_palette_is_looked_up(tmp_path):
    picture = Image.new("P", (2, 1))
    picture.putpalette([9, 8, 7, 250, 128, 3])
    picture.putdata([1, 0])
    picture.save(tmp_path / "a.gif")
    picture.save(tmp_path / "a.png")
    for name in ("a.gif", "a.png"):
        assert pixels(tmp_path / name).tolist() == [[[250, 128, 3], [9, 8, 7]]]


def test_the_transparent_is_white(tmp_path):
    rgba = np.array([[[10, 20, 30, 255], [0, 0, 0, 0], [0, 100, 200, 51]]], np.uint8)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    # 51 / 255 is a fifth of the colour and four fifths of white.
    expected = [[[10, 20, 30], [255, 255, 255], [204, 224, 244]]]
    assert pixels(tmp_path / "a.png").tolist() == expected


def test_a_transparent_palette_colour_is_white(tmp_path):
    picture = Image.new("P", (2, 1))
    picture.putpalette([9, 8, 7, 250, 128, 3])
    picture.putdata([1, 0])
    picture.save(tmp_path / "a.png", transparency=0)
    assert pixels(tmp_path / "a.png").tolist() == [[[250, 128, 3], [255, 255, 255]]]


def test_the_rotation_of_the_camera_is_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees
    Image.fromarray(COLOURS).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(pixels(tmp_path / "a.png"), COLOURS)


def test_corrupt_exif_is_passed_over_in_silence(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(COLOURS).save(path, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\0\x0f\x01\x02\0")
    with pytest.warns(UserWarning, match="EXIF"), Image.open(path) as picture:
        picture.getexif()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pixels(path)
    assert caught == []


# ---------------------------------------------------------------- files that are no pictures


def test_missing(tmp_path):
    assert refusal(tmp_path / "no.jpg") == "No such file or directory"


def test_folder(tmp_path):
    assert refusal(tmp_path) == "Is a directory"


def test_empty(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    assert refusal(tmp_path / "a.jpg") == "the file is empty"


@pytest.mark.parametrize(
    "content", [b"<html>404</html>", b"\x89PNG\r\n", b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_no_picture(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    assert refusal(tmp_path / "a.png") == "expected a picture (JPEG, PNG, WEBP, GIF, BMP)"


def test_a_format_of_other_trades(tmp_path):
    Image.fromarray(COLOURS).save(tmp_path / "a.tiff")
    assert refusal(tmp_path / "a.tiff").startswith("expected a picture (")
    assert np.array_equal(pixels(tmp_path / "a.tiff", every_format()), COLOURS)


def test_no_format_starts_another_program(tmp_path):
    assert "EPS" not in every_format()
    (tmp_path / "a.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(InputError, match=r"expected a picture \(of any kind that Pillow reads\)$"):
        pixels(tmp_path / "a.eps", every_format())


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_truncated(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-2000])
    assert refusal(path).startswith("broken picture: ")


def test_broken_chunk(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)).save(path)
    first, second, *others = path.read_bytes().split(b"IDAT")
    path.write_bytes(first + b"IDAT" + second + b"\0\1\2\3" + b"IDAT".join(others))
    assert refusal(path).startswith("broken picture: ")


# Pillow warns above its limit and refuses above twice its limit.
@pytest.mark.parametrize("limit", [34, 17])
def test_too_many_pixels(tmp_path, monkeypatch, limit):
    Image.fromarray(COLOURS).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 35)
    assert pixels(tmp_path / "a.png").shape == (5, 7, 3)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    assert refusal(tmp_path / "a.png").startswith(f"expected at most {limit} pixels: ")


# ---------------------------------------------------------------- square


def test_a_square_that_fits_is_not_touched():
    image = np.random.default_rng(1).integers(0, 256, (9, 9, 3), np.uint8)
    assert np.array_equal(square(image, 9), image)


def test_the_middle_is_cut_out():
    image = np.random.default_rng(1).integers(0, 256, (4, 9, 3), np.uint8)
    assert np.array_equal(square(image, 4), image[:, 2:6])
    assert np.array_equal(square(image.transpose(1, 0, 2), 4), image.transpose(1, 0, 2)[2:6])


@pytest.mark.parametrize("size", [10, 20, 80])
def test_scaling_keeps_a_slope_in_its_place(size):
    # Brightness grows by 2 a pixel from left to right, in the middle 40 of 60 columns.
    ramp = 2 * np.arange(60) + 5
    image = np.repeat(ramp[None, :, None], 40, axis=0).repeat(3, axis=2).astype(np.uint8)
    scaled = square(image, size)
    assert scaled.shape == (size, size, 3)
    assert scaled.dtype == np.uint8
    centres = 10 + (np.arange(size) + 0.5) * 40 / size - 0.5
    inner = slice(size // 8 + 1, -(size // 8) - 1)  # the filter is cut off at the border
    assert np.abs(scaled[:, inner] - (2 * centres + 5)[inner, None]).max() <= 0.6


def test_scaling_down_looks_at_every_pixel():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.abs(square(stripes, 16).astype(int) - 100)[:, 1:-1].max() <= 1


def test_scaling_never_overshoots():
    edge = np.full((40, 40, 3), 50, np.uint8)
    edge[:, 20:] = 200
    for size in (13, 111):
        assert square(edge, size).min() == 50
        assert square(edge, size).max() == 200


@pytest.mark.parametrize("shape", [(1, 60_000, 3), (60_000, 1, 3), (3, 20_000, 3), (1, 1, 3)])
def test_the_longest_strip_becomes_a_square(shape):
    assert np.array_equal(square(np.full(shape, 7, np.uint8), 256), np.full((256, 256, 3), 7))
