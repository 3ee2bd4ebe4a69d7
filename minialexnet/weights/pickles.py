"""Pickles read without being obeyed.

A pickle is a program for a small stack machine, and Python's own machine may be told to call any
function. This one knows the instructions that build numbers, text, lists, tuples and dictionaries.
Where a pickle names a function or a class, it is looked up in a table of harmless stand-ins;
nothing is imported, and whatever is not in the table is refused.
"""

import io
import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from minialexnet.errors import InputError
from minialexnet.weights.words import cut


@dataclass(frozen=True)
class Name:
    """A function or class that a pickle names; it stands on the stack and does nothing."""

    module: str
    name: str

    def __str__(self):
        return f"{self.module}.{self.name}"


class Made:
    """What a stand-in returns if the pickle may go on to tell it its state (BUILD)."""

    def build(self, state) -> None:
        raise NotImplementedError


# A stand-in is called with the arguments that the pickle gives; None marks a name that may be
# mentioned but not called.
Known = Mapping[tuple[str, str], Callable | None]

# Instructions that put what follows them onto the stack.
VALUES = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG", "BINFLOAT", "FLOAT"),
    *("BINSTRING", "SHORT_BINSTRING", "STRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"),
}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_MARK = object()
# What one pickle may take: AlexNet's takes 700 instructions, and its largest number has 80 bits.
STEPS, BITS = 3 * 10**5, 128


def read(
    file: io.BytesIO, known: Known, persistent: Callable[[Any], Any] | None = None, hint: str = ""
) -> Any:
    """The value of the pickle that begins where the file stands; the file stands behind it then.

    Parameters
    ----------
    file : bytes in memory, so that no length that they claim is believed
    known : what the pickle may name
    persistent : turns what the pickle calls a persistent id into a value
    hint : the way out, for the error about a name that is not known

    Raises
    ------
    InputError
        If the pickle is broken, names something unknown, has an instruction that this machine does
        not have, or makes more out of itself than it says.
    """
    machine = _Machine(known, persistent, hint, len(file.getbuffer()))
    try:
        for instruction, argument, _ in pickletools.genops(file):
            machine.step(instruction.name, argument)
        return machine.stack.pop()
    except InputError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # broken bytes make the parser raise almost anything
        reason = cut(f"{type(error).__name__}: {error}", 200)
        raise InputError(f"a broken pickle ({reason})") from error


class _Machine:
    def __init__(self, known: Known, persistent, hint: str, size: int):
        self.known, self.persistent, self.hint = known, persistent, hint
        self.stack, self.memo = [], {}
        self.steps, self.bytes = STEPS, size

    def step(self, kind: str, argument) -> None:
        stack = self.stack
        self._pay(1)
        if kind in VALUES:
            if isinstance(argument, int) and argument.bit_length() > BITS:
                raise InputError(f"a pickle with a number of {argument.bit_length():,} bits")
            stack.append(argument)
        elif kind in CONSTANTS:
            stack.append(CONSTANTS[kind])
        elif kind in EMPTY:
            stack.append(EMPTY[kind]())
        elif kind in TUPLES:
            stack[-TUPLES[kind] :] = [tuple(self._top(TUPLES[kind]))]
        else:
            action = getattr(self, f"_{kind.lower()}", None)
            if action is None:
                raise InputError(f"a pickle with the instruction {kind}{self.hint}")
            action(argument)

    def _pay(self, steps: int, size: int = 0) -> None:
        self.steps, self.bytes = self.steps - steps, self.bytes - size
        if self.steps < 0:
            raise InputError(f"a pickle of more than {STEPS:,} instructions{self.hint}")
        if self.bytes < 0:
            raise InputError("a pickle that has the same text copied again and again")

    def _hand_on(self, values) -> None:
        """Count what a stand-in is given, which may be kept in the memo, as if written anew.

        Stand-ins copy it, and a few instructions have it copied a thousand times.
        """
        for value in values:
            if isinstance(value, str | bytes):
                self._pay(0, len(value))
            elif isinstance(value, tuple | list | dict):
                self._pay(len(value))

    def _top(self, count: int) -> list:
        if len(self.stack) < count:
            raise ValueError("the stack is empty")
        return self.stack[-count:]

    def _proto(self, version):
        pass

    _frame = _stop = _proto

    def _mark(self, _):
        self.stack.append(_MARK)

    def _since_mark(self) -> list:
        """What stands above the last mark; it and the mark are taken away."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                found = self.stack[place + 1 :]
                del self.stack[place:]
                return found
        raise ValueError("no mark")

    def _tuple(self, _):
        self.stack.append(tuple(self._since_mark()))

    def _list(self, _):
        self.stack.append(self._since_mark())

    def _dict(self, _):
        values = self._since_mark()
        self.stack.append({})
        self._fill(values)

    def _fill(self, values: list) -> None:
        target = self.stack[-1]
        if type(target) is not dict or len(values) % 2:
            raise ValueError("entries for what is no dictionary")
        target.update(dictionary(zip(values[::2], values[1::2], strict=True)))

    def _setitems(self, _):
        self._fill(self._since_mark())

    def _setitem(self, _):
        self._top(3)
        value, key = self.stack.pop(), self.stack.pop()
        self._fill([key, value])

    def _appends(self, _):
        self._extend(self._since_mark())

    def _append(self, _):
        self._extend([self.stack.pop()])

    def _extend(self, values: list) -> None:
        if type(self.stack[-1]) is not list:
            raise ValueError("items for what is no list")
        self.stack[-1].extend(values)

    def _pop(self, _):
        self.stack.pop()

    def _dup(self, _):
        self.stack.append(self.stack[-1])

    def _memoize(self, _):
        self.memo[len(self.memo)] = self.stack[-1]

    def _put(self, place):
        self.memo[place] = self.stack[-1]

    _binput = _long_binput = _put

    def _get(self, place):
        self.stack.append(self.memo[place])

    _binget = _long_binget = _get

    def _global(self, words):
        module, _, name = words.partition(" ")
        self._name(module, name)

    def _stack_global(self, _):
        name, module = self.stack.pop(), self.stack.pop()
        self._name(module, name)

    def _name(self, module, name) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a name that is no text")
        if (module, name) not in self.known:
            raise InputError(f"a pickle that asks for {cut(module)}.{cut(name)}{self.hint}")
        self.stack.append(Name(module, name))

    def _reduce(self, _):
        arguments, name = self.stack.pop(), self.stack.pop()
        function = self.known.get((name.module, name.name)) if isinstance(name, Name) else None
        if function is None or type(arguments) is not tuple:
            raise InputError(f"a pickle that calls {shown(name)}{self.hint}")
        self._hand_on(arguments)
        self.stack.append(function(*arguments))

    def _build(self, _):
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, Made):
            self._hand_on(state if isinstance(state, tuple) else ())
            target.build(state)
        elif type(target) is not dict:
            raise InputError(f"a pickle that changes a {type(target).__name__}{self.hint}")
        # PyTorch hangs notes of its own onto its dictionaries; they are not needed.

    def _binpersid(self, _):
        if self.persistent is None:
            raise InputError("a pickle with a persistent id, which only .pth files have")
        self.stack.append(self.persistent(self.stack.pop()))


def dictionary(pairs=()) -> dict:
    """A dictionary of pairs; it stands in for collections.OrderedDict too."""
    found = {}
    for key, value in pairs:
        # To hash a tuple that holds a tuple twice, which holds one twice, and so on, has no end.
        # Integers can be chosen so that all have the same place in the table.
        if not isinstance(key, str | bytes) and not (type(key) is int and abs(key) < 2**31):
            raise InputError(f"a dictionary with {shown(key)} as a key")
        found[key] = value
    return found


def shown(value) -> str:
    """A value of a pickle in a few words: how it looks inside may be endless."""
    match value:
        case Name():
            return cut(value)
        case str():
            return repr(cut(value))
        case int():
            return str(value)
        case tuple() | list() if len(value) <= 8 and all(type(one) is int for one in value):
            return f"({', '.join(map(shown, value))})"
    return f"a {type(value).__name__}"
