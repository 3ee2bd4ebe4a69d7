"""Trying out a layer: what every exercise about a layer checks."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minialexnet import check as contract
from minialexnet import strict
from minialexnet.exercise.base import Check, Failed
from minialexnet.exercise.compare import CLOSE, Slip, close, same
from minialexnet.exercise.training import compare_losses

PICTURES = ("N", "H", "W", "C")
ROWS = ("N", "features")
KERNEL = ("the kernel's rows", "the kernel's columns", "C", "O")


@dataclass(frozen=True)
class Case:
    """A layer to make, and what to put into it.

    Parameters
    ----------
    make : makes one of a kind: the library's and the student's alike
    x : what it is tried on, float64
    about : both in words, for messages
    seed : None for evaluation, a number for training with a generator of that seed
    """

    make: Callable[[Any], Any]
    x: np.ndarray
    about: str
    seed: int | None = None


@dataclass(frozen=True)
class ByHand:
    """A case whose result is known: y, and dx for a dy, worked out on paper."""

    make: Callable[[Any], Any]
    x: list
    y: list
    dy: list | None = None
    dx: list | None = None
    params: dict = field(default_factory=dict)
    about: str = "worked out by hand"
    slips: Callable[..., Iterator[Slip]] | None = None


@dataclass(frozen=True)
class Subject:
    """What is checked of an exercise that asks for a layer.

    Parameters
    ----------
    kind : the library's layer, the answer
    cases : cases(rng) draws the shapes and numbers to try it on
    by_hand : small cases with results worked out on paper
    naive : naive(layer, x, rng) is y by plain loops
    slips : slips(array, layer, x, dy, seed) gives wrong arrays and the mistakes that make them
    axes : what the axes of each array stand for
    halves : which methods the student writes; the library's layer does the rest
    """

    kind: type
    cases: Callable[[np.random.Generator], list[Case]]
    by_hand: tuple[ByHand, ...]
    naive: Callable
    slips: Callable[..., Iterator[Slip]]
    axes: dict[str, tuple[str, ...]]
    halves: tuple[str, ...] = ("forward", "backward")


class Half:
    """A student's forward with the library's backward."""

    def __init__(self, theirs, ours):
        self.theirs, self.ours = theirs, ours

    @property
    def input_grad(self):
        return self.ours.input_grad

    @property
    def params(self):
        return self.theirs.params

    @params.setter
    def params(self, params):
        self.theirs.params = self.ours.params = params

    def forward(self, x, rng=None):
        _, cache = self.ours.forward(x, rng)
        y, _ = pair(self.theirs.forward(x, rng), "forward")
        return y, cache

    def backward(self, dy, cache):
        return self.ours.backward(dy, cache)

    def __call__(self, x):
        return self.forward(x)[0]


def checks(subject: Subject) -> tuple[Check, ...]:
    """The checks of an exercise that asks for a layer."""

    def with_subject(run):
        return lambda candidate, rng: run(subject, candidate, rng)

    back = "backward" in subject.halves
    both = len(subject.halves) == 2
    found = [Check("shapes", 1, with_subject(_shapes)), Check("by hand", 1, with_subject(_by_hand))]
    if "forward" in subject.halves:
        found.append(Check("against the naive loop", 3 if both else 5, with_subject(_values)))
    if back:
        found.append(Check("gradients", 3 if both else 5, with_subject(_gradients)))
    return (
        *found,
        Check("dtype kept", 1, with_subject(_dtypes)),
        Check("input untouched", 1, with_subject(_untouched)),
        Check("no memory", 1, with_subject(_no_memory)),
        Check("trains the network", 1, with_subject(_trains)),
        Check("on an accelerator", 0, with_subject(_accelerated)),
    )


# ------------------------------------------------------------------------------ making layers


def twins(subject: Subject, case: Case, candidate, dtype="float64"):
    """The student's layer and the library's, with the same parameters."""
    ours = case.make(subject.kind)
    drawn = np.random.default_rng(len(ours.params) + case.x.size)
    params = {key: drawn.standard_normal(w.shape).astype(dtype) for key, w in ours.params.items()}
    theirs = case.make(candidate)
    give(theirs, params, {key: array.shape for key, array in params.items()})
    ours.params = copied(params)
    if subject.halves == ("forward",):
        half = Half(theirs, case.make(subject.kind))
        half.params = copied(params)
        return half, ours
    return theirs, ours


def give(layer, params, shapes) -> None:
    """Put parameters into a student's layer, if it has places for just these."""
    mine = getattr(layer, "params", None)
    if not isinstance(mine, dict) and not shapes:
        raise Failed(f"{type(layer).__name__} has no dict `params`; call super().__init__()")
    found = {key: np.shape(array) for key, array in dict(mine).items()}
    if found != shapes:
        raise Failed(f"params should have the names and shapes {shapes}, got {found}")
    layer.params = copied(params)


def copied(arrays: dict) -> dict:
    return {key: array.copy() for key, array in arrays.items()}


def drawn(case: Case):
    """The generator that a case is run with."""
    return drawn_from(case.seed)


def direction(y, dtype="float64"):
    """A random dy: one of ones would hide mistakes."""
    return np.random.default_rng(y.size + 20121203).standard_normal(y.shape).astype(dtype)


def pair(result, method: str):
    """What forward or backward returned, if it is two things."""
    if not (isinstance(result, tuple) and len(result) == 2):
        wanted = "(y, cache)" if method == "forward" else "(dx, grads)"
        raise Failed(f"{method} must return {wanted}, got {type(result).__name__}")
    if method == "backward" and not isinstance(result[1], dict):
        raise Failed(f"backward must return (dx, grads), grads a dict, got {_type(result[1])}")
    return result


def _type(value) -> str:
    return type(value).__name__


def outcome(layer, x, dy, seed=None) -> dict[str, np.ndarray]:
    """Everything that one forward and one backward return, by name."""
    y, cache = pair(layer.forward(x, drawn_from(seed)), "forward")
    dx, grads = pair(layer.backward(dy, cache), "backward")
    return {"y": y, "dx": dx, **{f"d{key}": grad for key, grad in grads.items()}}


def drawn_from(seed):
    """The generator of that seed; None, which is evaluation, for none."""
    return None if seed is None else np.random.default_rng(seed)


def changed(layer, **settings):
    """A copy of a layer with other settings (or parameters, by `params`)."""
    layer = copy.deepcopy(layer)
    for key, value in settings.items():
        setattr(layer, key, value)
    return layer


# --------------------------------------------------------------------------------- the checks


def _compare(subject, array, got, want, layer, case, dy):
    same(
        array,
        got,
        want,
        slips=subject.slips(array, layer, case.x, dy, case.seed),
        axes=subject.axes.get(array, ()),
        where=case.about,
        given=case.x if array == "y" else dy,
    )


def _shapes(subject, candidate, rng):
    for case in subject.cases(rng):
        theirs, ours = twins(subject, case, candidate)
        want, cache = ours.forward(case.x, drawn(case))
        y, undo = pair(theirs.forward(case.x.copy(), drawn(case)), "forward")
        if np.shape(y) != want.shape:
            _compare(subject, "y", y, want, ours, case, direction(want))
        if "backward" not in subject.halves:
            continue
        dy = direction(want)
        ours_dx, ours_grads = ours.backward(dy, cache)
        dx, grads = pair(theirs.backward(dy.copy(), undo), "backward")
        _same_keys(grads, ours_grads)
        for name, got, right in _arrays(dx, grads, ours_dx, ours_grads):
            if right is None:
                _none(got, case)
            elif np.shape(got) != right.shape:
                _compare(subject, name, got, right, ours, case, dy)


def _arrays(dx, grads, right_dx, right_grads):
    yield "dx", dx, right_dx
    for key, right in right_grads.items():
        yield f"d{key}", grads[key], right


def _none(dx, case):
    if dx is not None:
        raise Failed(f"with input_grad=False dx should be None, got an array ({case.about})")


def _same_keys(grads, right):
    if grads.keys() != right.keys():
        missing = ", ".join(sorted(right.keys() - grads.keys()))
        raise Failed(
            f"backward should return gradients for {sorted(right)}, got {sorted(grads)}",
            f"the gradient of the {missing} is forgotten" if missing else "one gradient too many",
        )


def _by_hand(subject, candidate, rng):
    for hand in subject.by_hand:
        x = np.array(hand.x, np.float64)
        params = {key: np.array(array, np.float64) for key, array in hand.params.items()}
        case = Case(hand.make, x, hand.about)
        theirs, ours = twins(subject, case, candidate)
        if params:
            theirs.params, ours.params = copied(params), copied(params)
        y, cache = pair(theirs.forward(x.copy()), "forward")
        dy = np.array(hand.dy if hand.dy is not None else np.zeros(np.shape(hand.y)), np.float64)
        if "forward" in subject.halves:
            _compare(subject, "y", y, np.array(hand.y, np.float64), ours, case, dy)
        if hand.dx is not None and "backward" in subject.halves:
            dx, _ = pair(theirs.backward(dy.copy(), cache), "backward")
            _compare(subject, "dx", dx, np.array(hand.dx, np.float64), ours, case, dy)


def _values(subject, candidate, rng):
    for case in subject.cases(rng):
        theirs, ours = twins(subject, case, candidate)
        want = subject.naive(ours, case.x, drawn(case))
        y, _ = pair(theirs.forward(case.x.copy(), drawn(case)), "forward")
        _compare(subject, "y", y, want, ours, case, direction(want))


def _gradients(subject, candidate, rng):
    for case in subject.cases(rng):
        theirs, ours = twins(subject, case, candidate)
        y, cache = ours.forward(case.x, drawn(case))
        dy = direction(y)
        right_dx, right_grads = ours.backward(dy, cache)
        their_y, undo = pair(theirs.forward(case.x.copy(), drawn(case)), "forward")
        if np.shape(their_y) != y.shape:
            raise Failed(f"y has the shape {np.shape(their_y)}, expected {y.shape}: mend it first")
        dx, grads = pair(theirs.backward(dy.copy(), undo), "backward")
        _same_keys(grads, right_grads)
        for name, got, right in _arrays(dx, grads, right_dx, right_grads):
            if right is None:
                _none(got, case)
            else:
                _compare(subject, name, got, right, ours, case, dy)


def _dtypes(subject, candidate, rng):
    for dtype in ("float32", "float64"):
        for case in subject.cases(rng):
            theirs, _ = twins(subject, case, candidate, dtype)
            x = case.x.astype(dtype)
            y, cache = pair(theirs.forward(x, drawn(case)), "forward")
            found = {"y": y}
            if "backward" in subject.halves:
                dx, grads = pair(theirs.backward(direction(y, dtype), cache), "backward")
                found |= {"dx": dx, **{f"d{key}": grad for key, grad in grads.items()}}
            for name, array in found.items():
                if array is not None:
                    demand_dtype(name, array, dtype, case.about)


def demand_dtype(name, array, dtype, where, given="x"):
    """Raise `Failed` unless an array has the dtype of what was given."""
    came = getattr(array, "dtype", type(array).__name__)
    if came != dtype:
        slip = None
        if dtype == "float32" and came == np.float64:
            slip = (
                "float32 became float64: np.zeros and np.ones make float64 unless they are "
                "given x.dtype, and so does a mask or a factor that is a float64 array"
            )
        elif came == np.float32:
            slip = f"a dtype is written down in your code: take that of {given}"
        raise Failed(f"{name} is {came}, but {given} is {dtype} ({where})", slip)


def _untouched(subject, candidate, rng):
    for case in subject.cases(rng):
        theirs, _ = twins(subject, case, candidate)
        x = case.x.copy()
        params = copied(theirs.params)
        y, cache = pair(theirs.forward(x, drawn(case)), "forward")
        unwritten("x", x, case.x, "forward")
        if "backward" in subject.halves:
            dy = direction(y)
            before, y_before = dy.copy(), np.array(y)
            theirs.backward(dy, cache)
            unwritten("dy", dy, before, "backward")
            unwritten("x", x, case.x, "backward")
            unwritten("y", y, y_before, "backward")
        for key, array in params.items():
            unwritten(key, theirs.params[key], array, "your layer")


def unwritten(name, array, before, who):
    """Raise `Failed` if an array that was handed in has changed."""
    if not np.array_equal(array, before, equal_nan=True):
        index = tuple(int(i) for i in np.argwhere(array != before)[0])
        raise Failed(
            f"{name}{list(index)} was {float(before[index])!r} and is now {float(array[index])!r}",
            f"{name} was written into by {who}: work on a copy (no {name}[...] =, no +=, no out=)",
        )


def _no_memory(subject, candidate, rng):
    """The contract of `minialexnet.check`, whose messages begin with the name of the class."""
    for case in subject.cases(rng):
        theirs, _ = twins(subject, case, candidate)
        memoryless(theirs, case.x, case.seed, case.about)


def memoryless(layer, x, seed, where):
    """Raise `Failed` if a layer remembers, or lets one image see another."""
    mine = x.copy()
    try:
        contract.memoryless(layer, mine, seed)
    except AssertionError as error:
        likely = _remembers(str(error))
        if not np.array_equal(mine, x):
            likely = "x was written into, so the second time it was another x"
        raise Failed(f"{str(error).partition(': ')[2]} ({where})", likely) from None


def _remembers(said: str) -> str | None:
    if "depends on the other images" in said:
        return "images are mixed: something is taken over the whole batch, or from its first image"
    if "remembers something" in said:
        return "what backward needs belongs in the cache that forward returns, not in self"
    if "later call" in said:
        return "the same array is used again for the next result: make a new one"
    return None


def _trains(subject, candidate, rng):
    kind = candidate
    if subject.halves == ("forward",):
        kind = _half_kind(subject, candidate)
    compare_losses(int(rng.integers(2**31)), **{subject.kind.__name__: kind})


def _half_kind(subject, candidate):
    def make(*args, **settings):
        # The library's draws from a copy, so that the next layer's weights stay what they are.
        ours = subject.kind(*args, **copy.deepcopy(settings))
        half = Half(candidate(*args, **settings), ours)
        half.params = half.params
        return half

    return make


def _accelerated(subject, candidate, rng):
    """On the make-believe accelerator, which refuses what a GPU refuses."""
    for case in subject.cases(rng):
        theirs, ours = twins(subject, case, candidate, "float32")
        x = case.x.astype("float32")
        y, cache = ours.forward(x, drawn(case))
        dy = direction(y, "float32")
        dx, _ = ours.backward(dy, cache)
        theirs.params = {key: strict.asarray(array) for key, array in theirs.params.items()}
        try:
            there, undo = theirs.forward(strict.asarray(x), drawn(case))
            back = dx if dx is None else theirs.backward(strict.asarray(dy), undo)[0]
        except (TypeError, AttributeError) as error:
            error.add_note("accelerator")
            raise
        for name, got, right in (("y", there, y), ("dx", back, dx)):
            if right is not None and not close(strict.asnumpy(got), right, CLOSE["float32"]):
                raise Failed(f"{name} on an accelerator is not what it is on NumPy ({case.about})")
