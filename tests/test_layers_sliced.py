"""Slices of a batch on several threads: the same results, whatever the threads do."""

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from minialexnet import check
from minialexnet.layers import Conv2D, Dropout, Layer, Linear, Network, ReLU, Sliced


def rng(seed=0):
    return np.random.default_rng(seed)


def pictures(*shape):
    return rng(3).standard_normal(shape, dtype=np.float32)


def body():
    return Network(
        {
            "conv1": Conv2D(3, 4, 3, pad=1, std=0.5, bias=0.1, rng=rng(1)),
            "relu1": ReLU(),
            "drop1": Dropout(),
            "conv2": Conv2D(4, 2, 3, std=0.5, rng=rng(2)),
        }
    )


def results(layer, x, seed):
    """Everything that one forward and one backward return."""
    y, cache = layer.forward(x, None if seed is None else rng(seed))
    dx, grads = layer.backward(rng(4).standard_normal(y.shape, dtype=np.float32), cache)
    return {"y": y, "dx": dx, "called": layer(x), **grads}


evaluation_and_training = pytest.mark.parametrize("seed", [None, 5], ids=["evaluation", "training"])


@evaluation_and_training
@pytest.mark.parametrize("threads", [2, 3])
def test_results_do_not_depend_on_the_threads(threads, seed):
    x = pictures(11, 6, 5, 3)
    expected = results(Sliced(body(), 2, threads=1), x, seed)
    for _ in range(3):
        for name, array in results(Sliced(body(), 2, threads), x, seed).items():
            np.testing.assert_array_equal(array, expected[name], err_msg=name)


@pytest.mark.parametrize("images", [1, 2, 3, 7, 100])
def test_results_are_those_of_the_plain_layer(images):
    x = pictures(7, 6, 5, 3)
    expected = results(body(), x, None)
    for name, array in results(Sliced(body(), images, threads=2), x, None).items():
        assert array.dtype == np.float32
        scale = abs(expected[name]).max()
        np.testing.assert_allclose(array, expected[name], rtol=0, atol=1e-6 * scale, err_msg=name)


@evaluation_and_training
def test_gradient(seed):
    layer = Sliced(Linear(3, 2, std=0.5, rng=rng(1)), images=2)
    check.layer(layer, rng(0).standard_normal((5, 3)), seed)


class Witness(Layer):
    """Notes what it is given, and on which thread."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x, rng=None):
        self.seen.append((x[:, 0].tolist(), threading.current_thread().name))
        return x, len(x)

    def backward(self, dy, cache):
        assert cache == len(dy)
        return dy, {}


@pytest.mark.parametrize(
    ("images", "slices"),
    [(2, [[0, 1], [2, 3], [4]]), (5, [[0, 1, 2, 3, 4]]), (4, [[0, 1, 2, 3], [4]])],
)
def test_slices_follow_each_other_and_the_last_has_the_rest(images, slices):
    layer = Sliced(Witness(), images)
    x = np.arange(5.0)[:, None]
    y, cache = layer.forward(x)
    assert [numbers for numbers, _ in layer.layer.seen] == slices
    assert cache == [len(numbers) for numbers in slices]
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(layer.backward(x, cache)[0], x)


def test_threads_work_at_the_same_time():
    """Three slices wait for each other, which would take for ever one after the other."""
    meeting = threading.Barrier(3, timeout=10)

    class Meets(Witness):
        def forward(self, x, rng=None):
            meeting.wait()
            return super().forward(x, rng)

    layer = Sliced(Meets(), images=1, threads=3)
    layer.forward(np.zeros((3, 1)))
    assert len({thread for _, thread in layer.layer.seen}) == 3


def test_every_slice_has_a_generator_of_its_own():
    y, _ = Sliced(Dropout(), 10).forward(np.ones((20, 50), np.float32), rng(0))
    assert (y[:10] != y[10:]).any()


def test_one_generator_gives_other_masks_each_time():
    layer, x, source = Sliced(Dropout(), 10), np.ones((20, 50), np.float32), rng(0)
    assert (layer.forward(x, source)[0] != layer.forward(x, source)[0]).any()


def test_matrix_products_have_one_thread_inside():
    class Looks(Layer):
        def forward(self, x, rng=None):
            self.inside = blas_threads()
            return x, None

    def blas_threads():
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    layer = Sliced(Looks(), 1)
    with threadpool_limits(2, user_api="blas"):
        layer.forward(np.zeros((2, 1)))
        assert layer.layer.inside == {1}
        assert blas_threads() == {2}


def test_an_error_in_a_thread_comes_out_as_itself():
    layer = Sliced(body(), images=1, threads=2)
    with pytest.raises(ValueError) as error:
        layer.forward(pictures(4, 6, 5, 2))
    assert str(error.value) == "Conv2D expects (N, H, W, 3), got (1, 6, 5, 2)"
    assert error.value.__notes__ == ['in the layer "conv1"']
    with pytest.raises(ValueError, match="Conv2D expects"):
        layer(pictures(4, 6, 5, 2))


def test_parameters_keep_their_names():
    plain = body()
    layer = Sliced(plain, 2)
    assert list(layer.params) == list(plain.params)
    params = {name: array + 1 for name, array in plain.params.items()}
    layer.params = params
    assert all(plain.params[name] is array for name, array in params.items())


def test_backward_empties_the_cache():
    layer = Sliced(body(), 2)
    y, cache = layer.forward(pictures(5, 6, 5, 3))
    layer.backward(y, cache)
    assert cache == []


def test_pictures_get_no_gradient():
    layer = Sliced(Conv2D(3, 2, 3, rng=rng(0), input_grad=False), 2)
    y, cache = layer.forward(pictures(5, 6, 5, 3))
    assert not layer.input_grad
    assert layer.backward(y, cache)[0] is None


@pytest.mark.parametrize(("images", "threads"), [(0, 1), (-2, 1), (1, 0)])
def test_numbers_that_make_no_sense(images, threads):
    with pytest.raises(ValueError) as error:
        Sliced(ReLU(), images, threads)
    assert str(error.value) == f"Sliced expects images and threads >= 1, got {images} and {threads}"
