"""The fully connected layer."""

import numpy as np
import pytest

from minialexnet import check
from minialexnet.layers import Linear


def linear(features, units):
    """A Linear with weights and biases that matter, in float64."""
    rng = np.random.default_rng(1)
    layer = Linear(features, units, rng=rng)
    layer.params = {
        "weight": rng.standard_normal((features, units)),
        "bias": rng.standard_normal(units),
    }
    return layer


shapes = pytest.mark.parametrize(
    ("images", "features", "units"), [(3, 5, 4), (2, 1, 3), (2, 3, 1), (7, 2, 2)]
)


@shapes
def test_value(images, features, units):
    layer = linear(features, units)
    x = np.random.default_rng(0).standard_normal((images, features))
    expected = [
        [
            layer.params["bias"][o]
            + sum(x[n, d] * layer.params["weight"][d, o] for d in range(features))
            for o in range(units)
        ]
        for n in range(images)
    ]
    np.testing.assert_allclose(layer(x), expected, rtol=0, atol=1e-13)


@shapes
def test_gradient(images, features, units):
    check.layer(
        linear(features, units), np.random.default_rng(0).standard_normal((images, features))
    )


def test_initial_weights():
    layer = Linear(100, 200, bias=1, std=0.02, rng=np.random.default_rng(0))
    weight, bias = layer.params["weight"], layer.params["bias"]
    assert (weight.shape, bias.shape) == ((100, 200), (200,))
    assert weight.dtype == bias.dtype == np.float32
    assert weight.std() == pytest.approx(0.02, rel=0.02)
    np.testing.assert_array_equal(bias, np.ones(200))


@pytest.mark.parametrize("shape", [(2, 8), (9,), (2, 3, 3, 1)])
def test_features_that_do_not_fit(shape):
    with pytest.raises(ValueError) as error:
        Linear(9, 2, rng=np.random.default_rng(0)).forward(np.zeros(shape, np.float32))
    assert str(error.value) == f"Linear expects (N, 9), got {shape}"
