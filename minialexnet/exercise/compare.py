"""Is an array what it should be? If not: where not, and what the mistake probably is."""

from collections.abc import Callable, Iterable, Iterator
from itertools import permutations
from numbers import Number

import numpy as np

from minialexnet.exercise.base import Failed

# Differences allowed, as a share of the largest entry: float64, and float32.
CLOSE = {"float64": 1e-6, "float32": 1e-4}

# A wrong array, or a function that gives one, and the mistake that makes it.
Slip = tuple[np.ndarray | Callable[[], np.ndarray], str]


def same(
    name: str,
    got,
    want: np.ndarray,
    *,
    slips: Iterable[Slip] = (),
    axes: tuple[str, ...] = (),
    where: str = "",
    given: np.ndarray | None = None,
) -> None:
    """Raise `Failed` unless `got` is `want`.

    Parameters
    ----------
    name : of the array, such as "dweight"
    slips : wrong arrays and what made them: the likely mistake is that of the first one which
        equals `got`. They are only worked out when something is wrong.
    axes : what each axis stands for, such as ("N", "H", "W", "C")
    where : what it was worked out from, for the message
    given : what the result was worked out from, if the two have the same shape
    """
    context = f" ({where})" if where else ""
    if isinstance(got, Number) and want.ndim == 0:
        got = np.asarray(got)
    if not isinstance(got, np.ndarray | np.generic):
        raise Failed(f"{name} should be an array, got {type(got).__name__}{context}", _kind(got))
    got = np.asarray(got)
    if got.shape != want.shape:
        raise Failed(
            f"{name} has the shape {got.shape}, expected {want.shape}{context}",
            _first(got, slips) or _shape_slip(name, got, want, axes),
        )
    if got.dtype.kind not in "fiub":
        raise Failed(f"{name} should hold numbers, got {got.dtype}{context}")
    got, want = got.astype(np.float64), want.astype(np.float64)
    if close(got, want):
        return
    with np.errstate(all="ignore"):
        wrong = ~(abs(got - want) <= CLOSE["float64"] * _largest(want))
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f"{name}{list(index)}" if index else name
    several = f"; {wrong.sum()} of {wrong.size} entries are wrong" if wrong.size > 1 else ""
    likely = _first(got, slips) or _first(got, general(name, want, axes, given))
    raise Failed(
        f"{place} is {float(got[index])!r}, expected {float(want[index])!r}{several}{context}",
        likely or _factor(name, got, want) or _region(name, got, wrong, axes),
    )


def close(got, want, share: float = CLOSE["float64"]) -> bool:
    """Whether two arrays differ by no more than a share of the largest entry of the second."""
    return got.shape == want.shape and bool((abs(got - want) <= share * _largest(want)).all())


def _largest(array) -> float:
    return float(abs(array).max(initial=0)) or 1.0


def _first(got, slips: Iterable[Slip]) -> str | None:
    """The mistake that makes just this array."""
    for wrong, mistake in _worked_out(slips):
        if got.shape == wrong.shape and close(got, wrong):
            return mistake
    return None


def _worked_out(slips: Iterable[Slip]) -> Iterator[Slip]:
    """The slips that there are: one may be impossible for these shapes."""
    slips = iter(slips)
    while True:
        try:
            wrong, mistake = next(slips)
            wrong = np.asarray(wrong() if callable(wrong) else wrong, np.float64)
        except StopIteration:
            return
        except (ValueError, TypeError, KeyError, IndexError):
            continue
        yield wrong, mistake


def _kind(got) -> str | None:
    if got is None:
        return "nothing was returned: is there a return at the end?"
    if isinstance(got, tuple | list):
        return "np arrays are asked for, not lists or tuples of numbers"
    return None


def _named(axes: tuple[str, ...], axis: int) -> str:
    return axes[axis] if axis < len(axes) else f"axis {axis}"


def _shape_slip(name, got, want, axes) -> str | None:
    """What explains a wrong shape."""
    if got.ndim == want.ndim:
        for order in permutations(range(want.ndim)):
            if got.shape == tuple(want.shape[axis] for axis in order):
                moved = [_named(axes, i) for i, axis in enumerate(order) if i != axis]
                if len(moved) == 2:
                    return f"your {name} has {moved[0]} and {moved[1]} swapped"
                return f"the axes of your {name} are in another order"
        off = [
            (axis, here - there)
            for axis, (here, there) in enumerate(zip(got.shape, want.shape, strict=True))
            if here != there
        ]
        if got.ndim == 4 and got.shape[1] == got.shape[2] and want.shape[1] != want.shape[2]:
            return "right for square pictures only: rows and columns are counted separately"
        if all(abs(by) == 1 for _, by in off):
            many = "too few" if off[0][1] < 0 else "too many"
            return f"one {many} along {' and '.join(_named(axes, a) for a, _ in off)}: off by one"
        if any(here == 1 for here in (got.shape[axis] for axis, _ in off)):
            return "an axis was summed over that should stay, or kept with keepdims"
        return None
    if got.size == want.size:
        return "the entries are there, but not in the right shape: reshape is missing or wrong"
    return "a sum or a mean over the wrong axes (or over one too many or too few)"


def general(name, want, axes, given=None) -> Iterator[Slip]:
    """What a right array becomes by mistakes that may happen to any."""
    yield np.zeros_like(want), f"your {name} is 0 everywhere: it was never filled in"
    yield -want, f"your {name} has the wrong sign"
    yield 2 * want, f"your {name} is twice as large as it should be: is something counted twice?"
    yield want / 2, f"your {name} is half as large as it should be"
    if want.ndim:
        n = len(want)
        yield n * want, f"your {name} is {n} times as large as it should be: divide by N"
        yield want / n, f"your {name} is {n} times too small: divided by N once too often"
    if given is not None and given.shape == want.shape:
        yield given, f"your {name} is what came in, unchanged"
    for order in permutations(range(want.ndim)):
        moved = [_named(axes, i) for i, axis in enumerate(order) if i != axis]
        swapped = want.transpose(order)
        if moved and swapped.shape == want.shape:
            said = f"{moved[0]} and {moved[1]} swapped" if len(moved) == 2 else "its axes mixed up"
            yield swapped, f"your {name} has {said}"
        if len(moved) == 2:
            mixed = swapped.reshape(want.shape)
            said = f"mixes up {moved[0]} and {moved[1]}: a reshape where a transpose is needed"
            yield mixed, f"your {name} {said}"
    for axis in range(want.ndim):
        word = _named(axes, axis)
        yield np.flip(want, axis), f"your {name} is the wrong way round along {word}"
        for by in (1, -1):
            yield np.roll(want, by, axis), f"your {name} is off by one along {word}"
            shifted = np.zeros_like(want)
            to = [slice(None)] * want.ndim
            fro = list(to)
            to[axis], fro[axis] = (
                (slice(1, None), slice(None, -1)) if by > 0 else (slice(None, -1), slice(1, None))
            )
            shifted[tuple(to)] = want[tuple(fro)]
            yield shifted, f"your {name} is off by one along {word}"


def _factor(name, got, want) -> str | None:
    """By what the array would be right but for a factor."""
    with np.errstate(all="ignore"):
        factor = float((got * want).sum() / (want * want).sum())
    if not np.isfinite(factor) or want.size < 2 or not close(got, factor * want):
        return None
    percent = 100 * (factor - 1)
    much = f"{abs(percent):.2g} % too {'large' if percent > 0 else 'small'}"
    if abs(percent) >= 10:
        much = f"{factor:.4g} times as large as it should be"
    return f"your {name} is {much}, everywhere: a constant is not what it should be"


def _region(name, got, wrong, axes) -> str | None:
    """What can be said from where the wrong entries are."""
    if not np.isfinite(got).all():
        return "NaN or infinity: a division by 0, a logarithm of 0, or exp of something large"
    if wrong.ndim != len(axes) or not all(name in axes for name in ("H", "W")):
        return None
    for axis, word in enumerate(axes):
        places = np.flatnonzero(wrong.any(axis=tuple(a for a in range(wrong.ndim) if a != axis)))
        last = wrong.shape[axis] - 1
        if word == "N" and places.tolist() == list(range(1, last + 1)):
            return f"your {name} is right for the first image only"
        if last >= 2 and places.tolist() == [last]:
            return f"your {name} is wrong only at the last place along {word}: the edge"
        if last >= 2 and places.tolist() == [0]:
            return f"your {name} is wrong only at the first place along {word}: the edge"
    inside = wrong[tuple(slice(1, -1) if word in ("H", "W") else slice(None) for word in axes)]
    if inside.size > 3 and not inside.any():
        return f"your {name} is right inside and wrong at the edge: look at the padding"
    return None
