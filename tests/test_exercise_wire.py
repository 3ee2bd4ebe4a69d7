"""Calls between processes: what is shared, what is refused."""

import socket
import threading

import numpy as np
import pytest

from minialexnet import strict
from minialexnet.exercise.grading import session, wire
from minialexnet.layers import Conv2D, Dropout, ReLU


class Nothing:
    def name(self, value):
        return None

    def find(self, name):
        raise ValueError(name)

    def kind(self, name):
        return None


class Accumulates:
    """An object with a memory, at the other end."""

    def __init__(self):
        self.params = {"weight": np.ones(3, np.float32)}
        self.buffer = np.zeros(3)

    def forward(self, x, rng=None):
        self.seen = x
        return x * 2, {"x": x}

    def backward(self, dy, cache):
        cache["x"][...] = 7
        return dy, {}

    def same_buffer(self, value):
        self.buffer[...] = value
        return self.buffer

    def same_object(self, x):
        return x

    def drawn(self, rng):
        return rng.standard_normal(5)

    def uses(self, layer, x):
        y, cache = layer.forward(x)
        return y, layer.backward(y, cache)[0], layer.params

    def raises(self, kind):
        raise {"ValueError": ValueError, "Odd": type("Odd", (Exception,), {})}[kind]("said so")

    def reaches(self, layer):
        return layer.forward.__func__.__globals__

    def secret(self, layer):
        return layer._padded


@pytest.fixture
def far():
    """An `Accumulates` at the other end of a connection, in a thread."""
    ours, theirs = socket.socketpair()
    serving = wire.Peer(theirs, wire.serve, Nothing(), strict, watches=True)

    def loop():
        with pytest.raises(wire.Broken):
            serving.loop()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    peer = wire.Peer(ours, session.serve, Nothing(), strict)
    peer.seconds = 20
    serving.serve = lambda operation, target, *rest: (
        Accumulates() if operation == "make" else wire.serve(operation, target, *rest)
    )
    yield peer.ask("make", None)
    ours.close()
    thread.join(10)
    theirs.close()


def test_values_come_back_as_they_went(far):
    for value in (
        None, True, 12, 2**100, 0.1, float("inf"), "ä", (1, [2.5, "x"], {"a": (), 3: None}),
        slice(1, None, 2), ..., np.float32(0.1), np.int64(-3), np.dtype("float32"), np.float64,
    ):  # fmt: skip
        back = far.same_object(value)
        assert back == value and type(back) is type(value)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "bool", "complex128", ">f4"])
@pytest.mark.parametrize("shape", [(), (0,), (3, 4), (2, 3, 4, 5)])
def test_arrays_come_back_as_they_went(far, dtype, shape):
    array = np.asarray(10 * np.random.default_rng(0).standard_normal(shape)).astype(dtype)
    assert far.same_object(array) is array
    back = far.same_object(array.T)
    assert back.shape == array.T.shape and back.dtype == array.dtype
    np.testing.assert_array_equal(back, array.T)


def test_writing_into_an_array_is_seen_at_both_ends(far):
    x = np.ones(3)
    y, cache = far.forward(x)
    assert (y == 2).all() and (x == 1).all()
    far.backward(y, cache)
    assert (x == 7).all()
    first = far.same_buffer(1.0)
    assert far.same_buffer(2.0) is first and (first == 2).all()


def test_parameters_are_replaced_by_assignment(far):
    far.params = {"weight": np.zeros((2, 2))}
    assert far.params["weight"].shape == (2, 2)


def test_generators_go_on_where_the_other_end_left_them(far):
    mine, same = np.random.default_rng(3), np.random.default_rng(3)
    np.testing.assert_array_equal(far.drawn(mine), same.standard_normal(5))
    assert mine.random() == same.random()


def test_a_generator_is_only_moved_forward():
    rng = np.random.default_rng(3)
    other = np.random.default_rng(4).bit_generator.state
    with pytest.raises(wire.Broken, match="another place"):
        wire.move(rng, other)
    behind = np.random.default_rng(3).bit_generator.state
    rng.random()
    with pytest.raises(wire.Broken, match="another place"):
        wire.move(rng, behind)


def test_the_other_end_may_use_a_layer_of_ours_and_no_more(far):
    layer = Conv2D(3, 2, 3, rng=np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((2, 5, 5, 3))
    y, dx, params = far.uses(layer, x)
    np.testing.assert_array_equal(y, layer.forward(x)[0])
    assert dx.shape == x.shape
    assert params.keys() == layer.params.keys()
    with pytest.raises(AttributeError):
        far.reaches(layer)
    with pytest.raises(AttributeError):
        far.secret(layer)
    with pytest.raises(TypeError, match="not possible"):
        session.serve("get", open, "__self__")
    with pytest.raises(TypeError, match="not possible"):
        session.serve("set", layer, "forward", None)
    with pytest.raises(AttributeError):
        session.serve("get", layer, "__class__")


def test_errors_keep_their_names(far):
    with pytest.raises(ValueError, match="said so"):
        far.raises("ValueError")
    with pytest.raises(wire.Far, match="Odd: said so"):
        far.raises("Odd")
    with pytest.raises(AttributeError):
        far.nothing_of_that_name  # noqa: B018


def test_strict_arrays_stay_strict(far):
    x = strict.asarray(np.ones(3, np.float32))
    y, _ = far.forward(x)
    assert isinstance(y, strict.Array)
    np.testing.assert_array_equal(strict.asnumpy(y), 2)


def _forged(message: bytes, extra: bytes = b""):
    """What a peer makes of bytes that a submission sends in answer to its first request."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = wire.Peer(ours, session.serve, Nothing(), strict)
        peer.seconds = 5
        length = len(message) + len(extra)
        theirs.sendall(wire.HEAD.pack(len(message), length) + message + extra)
        return peer.ask("get", None, "x")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"nonsense",
        b"[]",
        b"[[], [], []]",
        b'[[], [], ["is"]]',
        b'[[], [], ["is", ["tuple", [1]], null]]',
        b'[[], [], ["is", ["tuple", [["library", "minialexnet.layers.relu:ReLU"]]], null, null]]',
        b'[[], [], ["is", ["tuple", [["yours", 3]]], null, ["list", []]]]',
        b'[[], [], ["is", ["tuple", [["bound", ["yours", 3], "x"]]], null, ["list", []]]]',
        b'[[], [], ["is", ["tuple", [["array", 1, "|O", [1], 0]]], null, ["list", []]]]',
        b'[[], [99999999999], ["is", 1, null, ["list", []]]]',
        b'[[], [8], ["is", ["tuple", [["array", 1, "<f8", [-1], 0]]], null, ["list", []]]]',
        b'[[], [], ["is", ["tuple", [["array", 1, "<f8", [2000000000], 0]]], null, ["list", []]]]',
        b'[["x"], [], ["is", ["tuple", [1]], null, ["list", []]]]',
        b'[[], [], ["is", ["tuple", [1]], null, ["list", [1]]]]',
        b'[[], [], ["ask", "call", ["list", [["library", "os:system"], null]]]]',
        b'[[], [], ["is", ["dict", [[["list", []], 1]]], null, ["list", []]]]',
        b"[" * 100000,
        b"1" * 100000,
    ],
)
def test_forged_messages_are_refused(message):
    with pytest.raises(wire.Broken):
        _forged(message, bytes(8) if b"[8]" in message else b"")


def test_too_much_is_refused_before_it_is_read():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = wire.Peer(ours, session.serve, Nothing(), strict)
        peer.seconds = 5
        theirs.sendall(wire.HEAD.pack(10, 2**40))
        with pytest.raises(wire.Broken, match="too much"):
            peer.ask("get", None, "x")


def test_silence_is_not_waited_for_longer_than_asked():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = wire.Peer(ours, session.serve, Nothing(), strict)
        peer.seconds = 0.1
        with pytest.raises(wire.Late):
            peer.ask("get", None, "x")


def test_the_answer_itself_is_never_handed_over():
    names = session.Library({"ReLU"})
    assert names.name(ReLU) is None
    assert names.name(Dropout) == "minialexnet.layers.dropout:Dropout"
    assert names.name(session.Session) is None
    assert names.name(print) is None
