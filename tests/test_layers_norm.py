"""Response normalisation: the formulas number by number, with constants that matter."""

import numpy as np
import pytest

from minialexnet import check
from minialexnet.layers import LocalResponseNorm, ResponseNorm


def pictures(*shape):
    return np.random.default_rng(0).standard_normal(shape)


def across_channels(x, size, k, alpha, beta):
    y = np.zeros_like(x)
    for *where, c in np.ndindex(x.shape):
        neighbours = range(c - size // 2, c - size // 2 + size)
        strength = sum(x[(*where, j)] ** 2 for j in neighbours if 0 <= j < x.shape[-1])
        y[(*where, c)] = x[(*where, c)] / (k + alpha * strength) ** beta
    return y


def within_channels(x, size, k, alpha, beta):
    _, height, width, _ = x.shape
    y = np.zeros_like(x)
    for n, i, j, c in np.ndindex(x.shape):
        strength = 0.0
        for row in range(i - size // 2, i - size // 2 + size):
            for column in range(j - size // 2, j - size // 2 + size):
                if 0 <= row < height and 0 <= column < width:
                    strength += x[n, row, column, c] ** 2
        y[n, i, j, c] = x[n, i, j, c] / (k + alpha * strength) ** beta
    return y


SETTINGS = [
    {"size": 5, "k": 2.0, "alpha": 1.0, "beta": 0.75},
    {"size": 3, "k": 1.0, "alpha": 2.5, "beta": 0.5},
    {"size": 4, "k": 2.0, "alpha": 1.5, "beta": 0.75},
    {"size": 2, "k": 0.5, "alpha": 3.0, "beta": 1.25},
    {"size": 1, "k": 2.0, "alpha": 1.0, "beta": 1.0},
    {"size": 9, "k": 1.5, "alpha": 1.0, "beta": 0.75},
    {"size": 20, "k": 1.5, "alpha": 1.0, "beta": 0.75},
]
ACROSS_SHAPES = [(2, 2, 3, 7), (2, 1, 2, 1), (3, 6)]
WITHIN_SHAPES = [(2, 4, 6, 2), (2, 1, 3, 2)]

settings = pytest.mark.parametrize(
    "settings", SETTINGS, ids=lambda settings: f"size {settings['size']}"
)


@settings
@pytest.mark.parametrize("shape", ACROSS_SHAPES, ids=str)
def test_value_across_channels(settings, shape):
    x = pictures(*shape)
    expected = across_channels(x, **settings)
    np.testing.assert_allclose(LocalResponseNorm(**settings)(x), expected, rtol=1e-12)


@settings
@pytest.mark.parametrize("shape", ACROSS_SHAPES, ids=str)
def test_gradient_across_channels(settings, shape):
    check.layer(LocalResponseNorm(**settings), pictures(*shape))


@settings
@pytest.mark.parametrize("shape", WITHIN_SHAPES, ids=str)
def test_value_within_channels(settings, shape):
    x = pictures(*shape)
    expected = within_channels(x, **settings)
    np.testing.assert_allclose(ResponseNorm(**settings)(x), expected, rtol=1e-12)


@settings
@pytest.mark.parametrize("shape", WITHIN_SHAPES, ids=str)
def test_gradient_within_channels(settings, shape):
    check.layer(ResponseNorm(**settings), pictures(*shape))


def test_numbers_from_the_formula():
    """Neighbours of strength 1 + 4 + 9 around the 2 and alpha not divided: (2 + 14)^-0.5."""
    x = np.array([[5.0, 1.0, 2.0, 3.0, 5.0]])
    y = LocalResponseNorm(size=3, k=2, alpha=1, beta=0.5)(x)
    assert y[0, 2] == pytest.approx(2 / 4)


def test_the_defaults_are_the_papers():
    layer = LocalResponseNorm()
    assert (layer.size, layer.k, layer.alpha, layer.beta) == (5, 2, 1e-4, 0.75)
    x = 100 * pictures(2, 2, 2, 8)
    np.testing.assert_allclose(layer(x), across_channels(x, 5, 2, 1e-4, 0.75), rtol=1e-12)


def test_the_defaults_within_channels_are_cuda_convnets():
    x = 100 * pictures(1, 4, 4, 2)
    expected = within_channels(x, 3, 1, 5e-5 / 9, 0.75)
    np.testing.assert_allclose(ResponseNorm()(x), expected, rtol=1e-12)


def test_whole_numbers_for_constants():
    check.layer(LocalResponseNorm(3, k=1, alpha=1, beta=1), pictures(2, 1, 1, 4))
    check.layer(ResponseNorm(3, k=1, alpha=1, beta=1), pictures(2, 2, 2, 1))


def test_pictures_that_do_not_fit():
    with pytest.raises(ValueError) as error:
        ResponseNorm().forward(np.zeros((2, 9), np.float32))
    assert str(error.value) == "ResponseNorm expects (N, H, W, C), got (2, 9)"
