"""ReLU, tanh and sigmoid: their formulas and their gradients, at the ends of the scale too."""

import math

import numpy as np
import pytest

from minialexnet import check
from minialexnet.layers import ReLU, Sigmoid, Tanh

FORMULAS = {
    ReLU: lambda x: x if x > 0 else 0.0,
    Tanh: lambda x: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x)),
    Sigmoid: lambda x: 1 / (1 + math.exp(-x)),
}
kinds = pytest.mark.parametrize("kind", FORMULAS)


@kinds
def test_value(kind):
    x = 3 * np.random.default_rng(0).standard_normal((2, 3, 4, 2))
    expected = [FORMULAS[kind](number) for number in x.ravel().tolist()]
    np.testing.assert_allclose(kind()(x).ravel(), expected, rtol=0, atol=1e-15)


@kinds
@pytest.mark.parametrize("shape", [(2, 5), (2, 3, 4, 2)])
def test_gradient(kind, shape):
    check.layer(kind(), np.random.default_rng(0).standard_normal(shape))


@pytest.mark.parametrize(
    ("kind", "ends", "slope"),
    [(ReLU, [0, 0, 1e4], [0, 0, 1]), (Tanh, [-1, 0, 1], [0, 1, 0]), (Sigmoid, [0, 0.5, 1], None)],
)
def test_the_ends_and_the_middle(kind, ends, slope):
    layer = kind()
    y, cache = layer.forward(np.array([-1e4, 0.0, 1e4], np.float32))
    np.testing.assert_array_equal(y, ends)
    dx, grads = layer.backward(np.ones(3, np.float32), cache)
    np.testing.assert_array_equal(dx, slope or [0, 0.25, 0])
    assert grads == {}


@kinds
def test_not_a_number_is_passed_on(kind):
    assert np.isnan(kind()(np.array([np.nan]))).all()


def test_relu_remembers_a_byte_for_each_number():
    x = np.ones((4, 8), np.float32)
    assert ReLU().forward(x)[1].nbytes == x.size
