"""Calls between the grader and the process that runs a submission: numbers and names, no code.

Both ends run this file. A message is one line of JSON and the bytes of arrays; nothing in it can
make the other end run anything, as a pickle could. What is no number, text, array, list, tuple or
dict stays where it is, and the other end has a `Remote` for it.

Arrays are copied, and yet behave as if they were shared: what a submission writes into an array
that it was handed, or has handed out, is written into the grader's as well. Otherwise nobody could
tell that it did. This file stands alone, as `cage` does.
"""

import builtins
import copy
import json
import math
import struct
import time
import types
import weakref
from dataclasses import fields, is_dataclass

import numpy as np

# Bytes of one message, of all in it that is no array, and values in it.
LARGEST, WORDIEST, LONGEST = 2**28, 2**24, 2 * 10**5
HEAD = struct.Struct("<IQ")
KINDS = "biufc"
# Seconds after which the clock is looked at again.
LOOK = 1.0


SENSELESS = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    RecursionError,
    OverflowError,
)


class Broken(Exception):
    """The other end has gone, or does not speak as it should; no later call can succeed."""


class Gone(Broken):
    """The other end has closed the connection."""


class Late(Broken):
    """The other end has not answered in time."""


class Far(Exception):
    """An error at the other end, where it has no better name here."""


class Remote:
    """An object of the other end."""

    __slots__ = ("__weakref__", "_handle", "_peer")
    __array_ufunc__ = None

    @property
    def __dict__(self):
        return self._peer.ask("vars", self)

    def __getattr__(self, name):
        if name.startswith("__") and name not in ("__name__", "__doc__", "__wrapped__"):
            raise AttributeError(name)
        return self._peer.ask("get", self, name)

    def __setattr__(self, name, value):
        self._peer.ask("set", self, name, value)

    def __call__(self, *args, **kwargs):
        return self._peer.ask("call", self, None, args, kwargs)

    def __getitem__(self, key):
        return self._peer.ask("item", self, key)

    def __setitem__(self, key, value):
        self._peer.ask("put", self, key, value)

    def __len__(self):
        return self._peer.ask("length", self)

    def __iter__(self):
        return iter(self._peer.ask("list", self))

    def __contains__(self, value):
        return self._peer.ask("contains", self, value)

    def __bool__(self):
        return True

    def __copy__(self):
        return self._peer.ask("copy", self)

    def __deepcopy__(self, memo):
        return self._peer.ask("deepcopy", self)

    def __del__(self):
        self._peer.dropped.append(self._handle)

    def __repr__(self):
        return f"<{type(self).__name__}>"


class Method:
    """A method of an object of the other end."""

    def __init__(self, owner: Remote, name: str):
        self.owner, self.name = owner, name

    def __call__(self, *args, **kwargs):
        return self.owner._peer.ask("call", self.owner, self.name, args, kwargs)


class Peer:
    """One end of the connection.

    Parameters
    ----------
    connection : a socket
    serve : what carries out a request: (operation, *operands) -> result
    library : finds what both ends have, such as a class of minialexnet, by its name; names it; and
        knows the kinds that an object of the other end may claim to be of
    accelerator : the module of the strict device, or None
    watches : whether this end reports what is written into arrays (the submission's end)

    Attributes
    ----------
    seconds, clock : how long an answer is waited for (None: for ever), and the clock to go by
    """

    def __init__(self, connection, serve, library, accelerator=None, watches=False):
        self.connection, self.serve, self.library = connection, serve, library
        self.accelerator, self.watches = accelerator, watches
        self.seconds, self.clock = None, time.monotonic
        self.objects, self.handles, self.remotes = {}, {}, weakref.WeakValueDictionary()
        self.kinds, self.methods = {}, {}
        self.arrays, self.pristine, self.numbers = {}, {}, {}
        self.dropped, self.count, self.depth, self.words = [], 0, 0, 0

    # ------------------------------------------------------------ requests

    def ask(self, operation, target, *operands):
        """What the other end answers; an error there is raised here, under the same name."""
        if operation == "get" and self.methods.get((type(target), operands[0])):
            return Method(target, operands[0])
        deadline = None if self.seconds is None else self.clock() + self.seconds
        generators = []
        self._send(["ask", operation, [target, *operands]], deadline, generators)
        while True:
            kind, *body = self._receive(deadline)
            if kind == "ask":
                self._answer(body, deadline)
                continue
            try:
                result, written, states = body
                self._written(written)
                for generator, state in zip(generators, states, strict=True):
                    move(generator, state)
                error = _error(*result) if kind == "failed" else None
                method = operation == "get" and type(result) is str
                if operation == "get" and error is None and not method:
                    (result,) = result
            except SENSELESS as reason:
                raise Broken("an answer without sense") from reason
            if error is not None:
                raise error
            if method:
                self.methods[type(target), operands[0]] = True
                return Method(target, operands[0])
            return result

    def loop(self):
        """Answer requests until the other end goes."""
        while True:
            kind, *body = self._receive(None)
            if kind != "ask":
                raise Broken("a request that is none")
            self._answer(body, None)

    def _answer(self, body, deadline):
        self.depth += 1
        if self.depth > 50:
            raise Broken("calls within calls without end")
        try:
            operation, (target, *operands) = body
        except SENSELESS as reason:
            raise Broken("a request without sense") from reason
        operands = (target, *operands)
        generators = [one for one in _leaves(operands) if isinstance(one, np.random.Generator)]
        try:
            kind, result = "is", self.serve(operation, *operands)
        except Broken:
            raise
        except BaseException as error:
            # A submission may raise SystemExit; in the grader whoever stops it means it.
            if not self.watches and not isinstance(error, Exception):
                raise
            kind, result = "failed", told(error)
        finally:
            self.depth -= 1
        states = [one.bit_generator.state for one in generators]
        try:
            self._send([kind, result, None, states], deadline)
        except (TypeError, ValueError, MemoryError, RecursionError) as error:
            self._send(["failed", told(error), None, states], deadline)

    def _written(self, written):
        for number, array in written or ():
            mine = self.remotes.get(("array", number))
            if mine is not None and mine.shape == np.shape(array) and mine.flags.writeable:
                np.copyto(mine, array, casting="unsafe")

    # ------------------------------------------------------------ messages

    def _send(self, message, deadline, generators=None):
        payload, generators = [], [] if generators is None else generators
        self.words = 0
        if message[0] != "ask":
            message[2] = self._changes()
        body = [self._encoded(part, payload, generators) for part in message]
        dropped, self.dropped = self.dropped, []
        head = json.dumps([dropped, [len(part) for part in payload], body]).encode()
        length = len(head) + sum(map(len, payload))
        if length > LARGEST or len(head) > WORDIEST:
            raise MemoryError(f"more than {LARGEST >> 20} MB to hand over")
        view = memoryview(b"".join((HEAD.pack(len(head), length), head, *payload)))
        while view:
            view = view[self._moved(self.connection.send, view, deadline) :]

    def _receive(self, deadline):
        head, length = HEAD.unpack(self._bytes(HEAD.size, deadline))
        if not head <= length <= LARGEST or head > WORDIEST:
            raise Broken("too much at once")
        message = memoryview(self._bytes(length, deadline))
        try:
            dropped, lengths, body = json.loads(bytes(message[:head]))
            payload = []
            for count in lengths:
                if not 0 <= count <= length - head:
                    raise ValueError("no length")
                # A copy, so that each array starts where its dtype may.
                payload.append(bytearray(message[head : head + count]))
                head += count
            for number in dropped:
                self._forget(number)
            kind, *rest = [self._decoded(part, payload) for part in body]
            if kind not in ("ask", "is", "failed"):
                raise ValueError("no kind of message")
            return [kind, *rest]
        except SENSELESS as error:
            raise Broken("words without sense") from error

    def _bytes(self, count, deadline):
        found = bytearray(count)
        view = memoryview(found)
        while view:
            view = view[self._moved(self.connection.recv_into, view, deadline) :]
        return found

    def _moved(self, move, view, deadline) -> int:
        """How many bytes could be sent or received, at least one."""
        while True:
            left = None if deadline is None else deadline - self.clock()
            if left is not None and left <= 0:
                raise Late("it does not answer")
            # The clock may not go as fast as that on the wall, or faster.
            self.connection.settimeout(left and min(left, LOOK))
            try:
                count = move(view)
            except TimeoutError:
                continue
            except OSError as error:
                raise Gone("it has gone") from error
            if not count:
                raise Gone("it has gone")
            return count

    # ------------------------------------------------------------ values

    def _encoded(self, value, payload, generators, depth=0):
        self.words += 1
        if depth > 20 or self.words > LONGEST:
            raise ValueError("more lists and numbers than can be handed over: arrays are asked for")
        if value is None or type(value) in (bool, str, float):
            return value
        if type(value) is int:
            return value if abs(value) < 2**200 else ["object", *self._exported(value)]

        def inner(part):
            return self._encoded(part, payload, generators, depth + 1)

        if type(value) in (list, tuple, dict):
            if type(value) is dict:
                return ["dict", [[inner(key), inner(part)] for key, part in value.items()]]
            return [type(value).__name__, [inner(part) for part in value]]
        if isinstance(value, np.ndarray):
            if value.dtype.kind in KINDS:
                return self._encoded_array(value, payload)
            return ["object", *self._exported(value)]
        if isinstance(value, np.generic) and value.dtype.kind in KINDS:
            payload.append(value.tobytes())
            return ["number", value.dtype.str, len(payload) - 1]
        if self.accelerator is not None and isinstance(value, self.accelerator.ndarray):
            return ["strict", self._encoded_array(value._memory, payload)]
        if isinstance(value, Remote):
            if value._peer is not self:
                raise Gone("it has gone")
            return ["yours", value._handle]
        if isinstance(value, Method):
            return ["bound", inner(value.owner), value.name]
        if isinstance(value, np.random.Generator):
            if isinstance(value.bit_generator, np.random.PCG64):
                generators.append(value)
                return ["chance", _state(value)]
            return ["object", *self._exported(value)]
        if isinstance(value, slice):
            return ["slice", [inner(value.start), inner(value.stop), inner(value.step)]]
        if value is Ellipsis:
            return ["dots"]
        if isinstance(value, np.dtype) and value.kind in KINDS:
            return ["dtype", value.str]
        if isinstance(value, type) and issubclass(value, np.generic):
            return ["type", np.dtype(value).name]
        if (name := self.library.name(value)) is not None:
            return ["library", name]
        # What the library keeps together, such as the places of parts of pictures.
        kind = type(value)
        if is_dataclass(kind) and (name := self.library.name(kind)) is not None:
            return ["record", name, [inner(getattr(value, one.name)) for one in fields(kind)]]
        return ["object", *self._exported(value)]

    def _encoded_array(self, array, payload):
        if array.nbytes > LARGEST:
            raise MemoryError(f"an array of more than {LARGEST >> 20} MB")
        raw = array.tobytes()
        payload.append(raw)
        number = self.numbers.get(id(array))
        if number is None or self._array(number) is not array:
            self.count += 1
            # Even on one side, odd on the other: no number is given twice.
            number = 2 * self.count + self.watches
            self._keep(number, array, raw)
        elif self.watches:
            self.pristine[number] = raw
        return ["array", number, array.dtype.str, list(array.shape), len(payload) - 1]

    def _keep(self, number, array, raw):
        if self.watches:
            self.arrays[number], self.pristine[number] = array, raw
        else:
            self.remotes["array", number] = array
            weakref.finalize(array, self.dropped.append, number).atexit = False
        self.numbers[id(array)] = number

    def _array(self, number):
        return self.arrays.get(number) if self.watches else self.remotes.get(("array", number))

    def _forget(self, number):
        if not isinstance(number, int):
            raise ValueError("no number")
        owner = self.arrays.pop(number, None)
        if owner is not None:
            self.numbers.pop(id(owner), None)
            self.pristine.pop(number, None)
        elif self.watches and number in self.objects:
            self.handles.pop(id(self.objects.pop(number)), None)

    def _exported(self, value):
        number = self.handles.get(id(value))
        if number is None:
            if len(self.objects) > LONGEST:
                raise MemoryError("more objects than anybody counts")
            self.count += 1
            number = 2 * self.count + self.watches
            self.objects[number], self.handles[id(value)] = value, number
        kind = type(value)
        own = isinstance(value, type | types.FunctionType | types.BuiltinFunctionType)
        name = str(value.__name__ if own else kind.__name__)[:100]
        # The nearest kind that both ends know, so that isinstance has an answer there.
        known = (one for one in kind.__mro__ if one.__module__.startswith("minialexnet."))
        base = next((f"{one.__module__}:{one.__qualname__}" for one in known), None)
        return number, f"{kind.__module__}.{kind.__qualname__}/{name}", name, base

    def _decoded(self, value, payload):
        if not isinstance(value, list):
            return value
        kind, *rest = value
        if kind in ("list", "tuple"):
            parts = [self._decoded(part, payload) for part in rest[0]]
            return tuple(parts) if kind == "tuple" else parts
        if kind == "dict":
            return {
                self._decoded(key, payload): self._decoded(part, payload) for key, part in rest[0]
            }
        if kind == "array":
            return self._decoded_array(rest, payload)
        if kind == "strict":
            return self.accelerator.ndarray(self._decoded_array(rest[0][1:], payload))
        if kind == "number":
            return np.frombuffer(payload[rest[1]], _dtype(rest[0]), 1)[0]
        if kind == "yours":
            return self.objects[rest[0]]
        if kind == "object":
            return self._remote(*rest)
        if kind == "chance":
            bits = np.random.PCG64(0)
            bits.state = _full(rest[0])
            return np.random.Generator(bits)
        if kind == "slice":
            return slice(*(self._decoded(part, payload) for part in rest[0]))
        if kind == "dots":
            return Ellipsis
        if kind == "dtype":
            return _dtype(rest[0])
        if kind == "type":
            return np.dtype(str(rest[0])).type
        if not self.watches:
            # A submission that could name these would hand in the grader's own answer.
            raise ValueError("a value of a kind that a submission may not send")
        if kind == "bound":
            return getattr(self._decoded(rest[0], payload), str(rest[1]))
        if kind == "library":
            return self.library.find(str(rest[0]))
        if kind == "record":
            return self.library.find(rest[0])(*(self._decoded(x, payload) for x in rest[1]))
        raise ValueError("a value of an unknown kind")

    def _decoded_array(self, words, payload):
        number, dtype, shape, part = words
        raw, dtype = payload[part], _dtype(dtype)
        sizes = [int(size) for size in shape]
        if any(size < 0 for size in sizes) or not isinstance(number, int):
            raise ValueError("no shape")
        if math.prod(sizes) * dtype.itemsize != len(raw):
            raise ValueError("bytes that do not fit the shape")
        array = np.frombuffer(raw, dtype).reshape(sizes)
        known = self._array(number)
        if known is not None and known.shape == array.shape and known.dtype == array.dtype:
            if known.flags.writeable:
                np.copyto(known, array)
                if self.watches:
                    self.pristine[number] = bytes(raw)
            return known
        if number in self.dropped:
            self.dropped.remove(number)
        self._keep(number, array, bytes(raw) if self.watches else None)
        return array

    def _remote(self, number, kind, name, base):
        if not isinstance(number, int):
            raise ValueError("no number")
        known = self.remotes.get(("object", number))
        if known is not None:
            return known
        # Dropped, but the other end does not know yet.
        if number in self.dropped:
            self.dropped.remove(number)
        if kind not in self.kinds:
            if len(self.kinds) > 1000:
                raise ValueError("more classes than anybody writes")
            about = {"__slots__": (), "__module__": "remote"}
            if (claimed := self.library.kind(base)) is not None:
                about["__class__"] = property(lambda self: claimed)
            self.kinds[kind] = type(str(name), (Remote,), about)
        remote = object.__new__(self.kinds[kind])
        object.__setattr__(remote, "_peer", self)
        object.__setattr__(remote, "_handle", number)
        self.remotes["object", number] = remote
        return remote

    def _changes(self):
        """What was written into arrays that both ends have, since it was last said."""
        changes = []
        for number, now in self.arrays.items():
            raw = now.tobytes()
            if raw != self.pristine[number]:
                self.pristine[number] = raw
                changes.append((number, now.copy()))
        return changes


def serve(operation, target, *operands):
    """Carry out any request: for the submission's end."""
    if operation == "call":
        name, args, kwargs = operands
        function = target if name is None else getattr(target, name)
        return function(*args, **kwargs)
    return REQUESTS[operation](target, *operands)


def _get(target, name):
    value = getattr(target, name)
    bound = getattr(value, "__self__", None) is target and not isinstance(target, type)
    return "method" if bound else (value,)


REQUESTS = {
    "get": _get,
    "set": setattr,
    "item": lambda target, key: target[key],
    "put": lambda target, key, value: target.__setitem__(key, value),
    "vars": lambda target: dict(vars(target)),
    "length": len,
    "list": list,
    "contains": lambda target, value: value in target,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


def told(error) -> tuple[str, str, str]:
    """An error in words: its name, its message, and where in the submission it was raised."""
    where, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith("<your "):
            where = f"line {trace.tb_lineno} of {file[6:-1]}"
        trace = trace.tb_next
    try:
        said = str(error)
    except Exception:
        said = "(its message cannot be read)"
    return type(error).__name__[:100], said[:2000], where


def _error(name, said, where):
    said = f"{said} ({where})" if said and where else said or str(where)
    found = getattr(builtins, str(name), None)
    proper = isinstance(found, type) and issubclass(found, Exception)
    try:
        return found(said) if proper else Far(f"{name}: {said}")
    except TypeError:  # UnicodeDecodeError and its like want more
        return Far(f"{name}: {said}")


def _leaves(value):
    if isinstance(value, list | tuple):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, dict):
        yield from _leaves(list(value.values()))
    else:
        yield value


def _dtype(text):
    dtype = np.dtype(str(text))
    if dtype.kind not in KINDS or dtype.itemsize > 32:
        raise ValueError("a dtype that holds no numbers")
    return dtype


def _state(generator):
    state = generator.bit_generator.state
    return [*map(str, state["state"].values()), state["has_uint32"], state["uinteger"]]


def _full(state):
    first, step, has, left = state
    return {
        "bit_generator": "PCG64",
        "state": {"state": int(first) % 2**128, "inc": int(step) % 2**128 | 1},
        "has_uint32": int(bool(has)),
        "uinteger": int(left) % 2**32,
    }


def move(generator, state) -> None:
    """Bring a generator to where the other end has left it.

    Only forward, and by fewer than 2^40 numbers: otherwise a submission could choose the numbers
    that the grader draws next. How far it is follows from the lowest bits upwards, since the n
    lowest bits of PCG64's state return after 2^n numbers.
    """
    here = generator.bit_generator.state
    now, step = here["state"]["state"], here["state"]["inc"]
    there = state["state"]["state"] if isinstance(state, dict) else None
    if not isinstance(there, int):
        raise Broken("a generator that is none")
    factor, bit, mask, distance = 0x2360ED051FC65DA44385DF649FCCF645, 1, 2**128 - 1, 0
    while now != there:
        if bit >= 2**40:
            raise Broken("a generator that was set to another place")
        if (now ^ there) & bit:
            now = (now * factor + step) & mask
            distance |= bit
        step = (step * (factor + 1)) & mask
        factor = (factor * factor) & mask
        bit <<= 1
    here["state"]["state"] = there
    here["has_uint32"] = int(bool(state.get("has_uint32")))
    here["uinteger"] = int(state.get("uinteger", 0)) % 2**32
    generator.bit_generator.state = here
