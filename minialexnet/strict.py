"""A make-believe accelerator, for machines without a GPU: this file is its array module.

Its arrays keep their numbers to themselves, as those of a GPU do: they enter by `asarray` and leave
by `asnumpy`, which are `device().put` and `device().get`, and nothing else brings them across.
Whatever a GPU refuses is refused here, and so is what it would do slowly and in silence: mixing
with NumPy arrays, `if array > 0`, `float(array)`, going through an array in a Python loop. Behind
the counter NumPy does the work, so results equal NumPy's bit for bit.

FUNCTIONS and METHODS (with the keywords allowed) and the operators are all that layers, loss and
optimiser ask of an array module. Whoever adds to them makes sure that CuPy has the same.
"""

import operator
from types import SimpleNamespace

import numpy as np

from minialexnet.backend import Device

FUNCTIONS = {
    "arange": (),
    "concatenate": ("axis",),
    "exp": (),
    "full": (),
    "log": (),
    "maximum": ("out",),
    "split": ("axis",),
    "tanh": (),
    "where": (),
    "zeros": (),
    "zeros_like": (),
}
METHODS = {
    "argmax": ("axis",),
    "astype": (),
    "copy": (),
    "max": ("axis", "keepdims"),
    "mean": ("axis", "keepdims"),
    "reshape": (),
    "sum": ("axis", "keepdims"),
    "swapaxes": (),
    "transpose": (),
}
TWO_SIDED = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or"]
COMPARISONS = ["lt", "le", "eq", "ne", "gt", "ge"]
ONE_SIDED = ["neg", "abs", "invert"]


class Array:
    """An array on the make-believe accelerator."""

    __slots__ = ("_memory",)
    __hash__ = None
    # NumPy then leaves the operators to this class and refuses its own functions.
    __array_ufunc__ = None

    def __init__(self, memory: np.ndarray):
        self._memory = memory

    shape = property(lambda self: self._memory.shape)
    dtype = property(lambda self: self._memory.dtype)
    ndim = property(lambda self: self._memory.ndim)
    size = property(lambda self: self._memory.size)
    strides = property(lambda self: self._memory.strides)
    nbytes = property(lambda self: self._memory.nbytes)
    T = property(lambda self: Array(self._memory.T))

    def __len__(self):
        return len(self._memory)

    def __repr__(self):
        return f"<{self.dtype} array {self.shape} on the strict device>"

    def __getitem__(self, index):
        return _outside(self._memory[_index(index)])

    def __setitem__(self, index, value):
        self._memory[_index(index)] = _operand(value)


def _inside(value):
    """What NumPy is given for an argument: the memory of an array, and no array of the host."""
    if isinstance(value, Array):
        return value._memory
    if isinstance(value, np.ndarray):
        raise TypeError("a NumPy array came to the strict device without device.put")
    if isinstance(value, list | tuple):
        return type(value)(map(_inside, value))
    return value


def _operand(value):
    """The same for one side of an operator: an array or a number, which a GPU takes as such."""
    if isinstance(value, Array | np.ndarray | int | float | np.generic):
        return _inside(value)
    raise TypeError(f"the strict device cannot calculate with {type(value).__name__}")


def _index(index):
    """The same for what stands in brackets."""
    for part in index if isinstance(index, tuple) else (index,):
        if not (part is None or part is ... or isinstance(part, int | slice | Array)):
            raise TypeError(f"the strict device takes no {type(part).__name__} for an index")
    return _inside(index)


def _outside(result):
    """What the caller is given for a result; reductions give arrays without axes, not numbers."""
    if isinstance(result, list):
        return [_outside(part) for part in result]
    return Array(np.asarray(result))


def _carried_out(function, keywords=()):
    """The NumPy function or method as one of the device, with these keywords alone."""

    def on_device(*args, **kwargs):
        for keyword in kwargs:
            if keyword not in keywords:
                raise TypeError(f"{function.__name__} of the strict device has no {keyword}")
        kwargs = {keyword: _inside(value) for keyword, value in kwargs.items()}
        return _outside(function(*_inside(args), **kwargs))

    return on_device


def _applied(function):
    """An operator of the device."""
    return lambda *arrays: _outside(function(*map(_operand, arrays)))


def _applied_in_place(function):
    def in_place(self, other):
        function(self._memory, _operand(other))
        return self

    return in_place


def _refused(name):
    def refuse(self, *args, **kwargs):
        raise TypeError(f"{name} would bring an array of the strict device to the host")

    return refuse


for name in ["array", "array_function", "iter", "bool", "int", "float", "complex", "index"]:
    setattr(Array, f"__{name}__", _refused(f"__{name}__"))
for name in COMPARISONS + ONE_SIDED:
    setattr(Array, f"__{name}__", _applied(getattr(operator, f"__{name}__")))
for name in TWO_SIDED:
    function = getattr(operator, f"__{name}__")
    setattr(Array, f"__{name}__", _applied(function))
    setattr(Array, f"__r{name}__", _applied(lambda self, other, f=function: f(other, self)))
    if name != "matmul":  # CuPy has no @= either: a @= b is a = a @ b
        in_place = getattr(operator, f"__i{name}__")
        setattr(Array, f"__i{name}__", _applied_in_place(in_place))
for name, keywords in METHODS.items():
    setattr(Array, name, _carried_out(getattr(np.ndarray, name), keywords))
for name, keywords in FUNCTIONS.items():
    globals()[name] = _carried_out(getattr(np, name), keywords)

ndarray = Array
lib = SimpleNamespace(
    stride_tricks=SimpleNamespace(as_strided=_carried_out(np.lib.stride_tricks.as_strided))
)


def asarray(host) -> Array:
    """A copy on the device of an array of the host: the one door in."""
    return Array(np.array(host))


def asnumpy(array) -> np.ndarray:
    """A copy on the host of an array of the device: the one door out."""
    if not isinstance(array, Array):
        raise TypeError(f"expected an array of the strict device, got {type(array).__name__}")
    return array._memory.copy()


def device() -> Device:
    """The make-believe accelerator."""
    return Device("strict", asarray, asnumpy)
