"""CuPy, which can be imported without a driver, has all that the package asks of it."""

import ast
import inspect
import operator
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from kernels import kernels_in, nvrtc

import minialexnet
from minialexnet import strict

PACKAGE = Path(minialexnet.__file__).parent
needs_cupy = pytest.mark.skipif(find_spec("cupy") is None, reason="needs CuPy: make test-all")


@pytest.fixture(scope="module")
def cupy():
    return pytest.importorskip("cupy")


# ---------------------------------------------------------------- what is asked for

# How each is called: the names are those of NumPy's documentation.
CALLS = {
    "arange": ((5,), {}),
    "asarray": ((np.zeros(2),), {}),
    "asnumpy": ((None,), {}),
    "concatenate": (([None, None],), {"axis": 1}),
    "exp": ((None,), {}),
    "full": (((2, 3), 0.0, "float32"), {}),
    "log": ((None,), {}),
    "maximum": ((None, 0), {"out": None}),
    "split": ((None, 2), {"axis": -1}),
    "tanh": ((None,), {}),
    "where": ((None, None, None), {}),
    "zeros": (((2, 3), "float32"), {}),
    "zeros_like": ((None,), {}),
}
METHOD_CALLS = {
    "argmax": ((), {"axis": 1}),
    "astype": (("float32",), {}),
    "copy": ((), {}),
    "max": ((), {"axis": 1, "keepdims": True}),
    "mean": ((), {"axis": 1, "keepdims": True}),
    "reshape": ((2, -1), {}),
    "sum": ((), {"axis": 1, "dtype": "float32", "keepdims": True}),
    "swapaxes": ((1, 2), {}),
    "transpose": ((2, 0, 1), {}),
}


def signature(function) -> inspect.Signature:
    """Python's own, or the one that stands first in a compiled function's documentation."""
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        said = re.match(r"[\w.]*?(\w+)\((.*?)\)(?: ->.*)?$", function.__doc__ or "", re.MULTILINE)
        if said is None:
            raise AssertionError(f"nobody says how {function!r} is called") from None
    words = said[2].replace("\\*", "*")
    # Cython writes the kind of an argument before its name.
    words = ", ".join(_name(word) for word in words.split(", ") if word)
    names = {}
    exec(f"def {said[1]}({words}): pass", names)
    return inspect.signature(names[said[1]])


def _name(word: str) -> str:
    """An argument without its kind: "axis1" of "Py_ssize_t axis1", "axis=None" of "axis=None"."""
    name, equals, default = word.partition("=")
    return name.split()[-1] + (f"={_literal(default)}" if equals else "")


def _literal(default: str) -> str:
    try:
        ast.literal_eval(default)
    except (SyntaxError, ValueError):
        return "None"
    return default


def test_signatures_are_read_from_what_a_compiled_function_says():
    class Compiled:
        __doc__ = (
            "_base.swap(self, Py_ssize_t axis1, int axis2=-1, kind=<class 'float'>) -> _base\n\nIt."
        )

    found = signature(Compiled())
    assert list(found.parameters) == ["self", "axis1", "axis2", "kind"]
    found.bind(None, 1, kind=3)
    with pytest.raises(TypeError):
        found.bind(None, 1, keyword=3)
    ufunc = type("ufunc", (), {"__doc__": r"maximum(x1, x2, /, out=None, \*, dtype=None)"})()
    with pytest.raises(TypeError):
        signature(ufunc).bind(1, 2, None, "float32")
    with pytest.raises(AssertionError, match="nobody says how"):
        signature(type("silent", (), {"__doc__": "Does something."})())


def test_every_function_and_method_of_the_strict_device_has_a_call_to_try():
    for calls, known in ((CALLS, strict.FUNCTIONS), (METHOD_CALLS, strict.METHODS)):
        for name, keywords in known.items():
            assert set(keywords) <= set(calls[name][1]), name


@needs_cupy
@pytest.mark.parametrize("name", CALLS)
def test_functions_are_there_and_take_our_calls(cupy, name):
    positional, keywords = CALLS[name]
    signature(getattr(cupy, name)).bind(*positional, **keywords)


@needs_cupy
@pytest.mark.parametrize("name", METHOD_CALLS)
def test_methods_are_there_and_take_our_calls(cupy, name):
    positional, keywords = METHOD_CALLS[name]
    signature(getattr(cupy.ndarray, name)).bind(None, *positional, **keywords)


@needs_cupy
def test_windows_are_viewed_by_strides(cupy):
    signature(cupy.lib.stride_tricks.as_strided).bind(None, (2, 3), (8, 4))


OPERATORS = [
    *(f"__{name}__" for name in strict.TWO_SIDED + strict.COMPARISONS + strict.ONE_SIDED),
    *(f"__r{name}__" for name in strict.TWO_SIDED if hasattr(np.ndarray, f"__r{name}__")),
    *(f"__i{name}__" for name in strict.TWO_SIDED if hasattr(strict.Array, f"__i{name}__")),
    *("__getitem__", "__setitem__", "__len__"),
]


@needs_cupy
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_are_there(cupy, name):
    assert callable(getattr(cupy.ndarray, name))


@needs_cupy
@pytest.mark.parametrize("name", ["shape", "dtype", "ndim", "size", "strides", "nbytes", "T"])
def test_attributes_are_there(cupy, name):
    assert hasattr(cupy.ndarray, name)


# By where it stands, and how it is called.
BEYOND_ARRAYS = {
    "cupy.is_available": ((), {}),
    "cupy.ones": (((2, 2), "float32"), {}),
    "cupy.empty": (((2, 2), "uint8"), {}),
    "cupy.ndarray.set": ((None, None), {"stream": None}),
    "cupy.cuda.Device": (None, ("use", "synchronize", "pci_bus_id", "mem_info", "id")),
    "cupy.cuda.Event": ((), {"disable_timing": True}),
    "cupy.cuda.Event.record": ((None, None), {}),
    "cupy.cuda.Event.synchronize": ((None,), {}),
    "cupy.cuda.Event.done": (None, ()),
    "cupy.cuda.Stream": ((), {"non_blocking": True}),
    "cupy.cuda.Stream.wait_event": ((None, None), {}),
    "cupy.cuda.Stream.synchronize": ((None,), {}),
    "cupy.cuda.get_current_stream": ((), {}),
    "cupy.cuda.get_elapsed_time": ((None, None), {}),
    "cupy.cuda.runtime.getDeviceCount": ((), {}),
    "cupy.cuda.runtime.getDeviceProperties": ((0,), {}),
    "cupy.cuda.runtime.driverGetVersion": ((), {}),
    "cupy.cuda.runtime.runtimeGetVersion": ((), {}),
    "cupy.get_default_memory_pool": ((), {}),
    "cupy.cuda.MemoryPool": (None, ("total_bytes", "used_bytes", "free_all_blocks", "set_limit")),
    "cupyx.empty_pinned": (((2, 3), "uint8"), {}),
}


@needs_cupy
@pytest.mark.parametrize("path", BEYOND_ARRAYS)
def test_streams_events_and_memory_are_there_and_take_our_calls(cupy, path):
    import cupyx

    first, _, rest = path.partition(".")
    found = operator.attrgetter(rest)({"cupy": cupy, "cupyx": cupyx}[first])
    positional, other = BEYOND_ARRAYS[path]
    if positional is None:
        assert all(hasattr(found, name) for name in other)
    else:
        signature(found).bind(*positional, **other)


def trees(*folders):
    for folder in folders:
        found = sorted((PACKAGE / folder).rglob("*.py")) if folder else PACKAGE.glob("*.py")
        for path in found:
            yield path, ast.parse(path.read_text())


def named_of_cupy() -> set[str]:
    """Every name of cupy, cupyx or cupy.cuda that the package's source spells out."""
    found = set()
    for _, tree in trees("", "bench", "ranks", "data", "layers", "commands"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                words = ast.unparse(node)
                if re.fullmatch(r"(cupy|cupyx)(\.\w+)+", words):
                    found.add(words)
    return found


@needs_cupy
def test_every_name_that_the_source_takes_from_cupy_is_there(cupy):
    import cupyx

    found = named_of_cupy()
    assert {"cupy.is_available", "cupy.cuda.runtime.getDeviceCount"} <= found
    for path in found:
        first, _, rest = path.partition(".")
        operator.attrgetter(rest)({"cupy": cupy, "cupyx": cupyx}[first])


# ---------------------------------------------------------------- no more than the list

# Where arrays may be on a device. Programs are free to use NumPy on the host.
ON_DEVICES = ("layers", "networks")
FILES = ("windows.py", "loss.py", "optim.py", "evaluate.py", "data/augment.py", "data/input.py")
ALLOWED = {*strict.FUNCTIONS, "asarray", "lib"}


def array_functions(tree) -> set[str]:
    """The functions that are asked of an array module: of `xp`, or of namespace(...) itself."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        owner = node.value
        called = isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name)
        if (isinstance(owner, ast.Name) and owner.id == "xp") or (
            called and owner.func.id == "namespace"
        ):
            found.add(node.attr)
    return found


def sources():
    yield from ((path, tree) for path, tree in trees(*ON_DEVICES))
    yield from ((PACKAGE / name, ast.parse((PACKAGE / name).read_text())) for name in FILES)


def test_functions_of_array_modules_are_found_in_a_source():
    source = "xp = namespace(x)\nxp.median(x)\nnamespace(x, y).tril(x)\nnp.sum(x)\nx.sort()"
    assert array_functions(ast.parse(source)) == {"median", "tril"}


def test_no_line_asks_an_array_module_for_more_than_is_listed():
    found = {}
    for path, tree in sources():
        for name in array_functions(tree) - ALLOWED:
            found[f"{path.relative_to(PACKAGE)}: {name}"] = name
    assert not found


# ---------------------------------------------------------------- kernels


def test_kernels_are_found_in_a_source():
    assert [name for name, _ in kernels_in(ast.parse(WRITTEN))] == [
        "RawKernel",
        "ElementwiseKernel",
        "a string",
    ]


WRITTEN = """
import cupy
one = cupy.RawKernel('extern "C" __global__ void one(float* x) { x[0] = 1; }', "one")
two = cupy.ElementwiseKernel("float32 x", "float32 y", "y = 2 * x", "two")
SOURCE = "__global__ void three() {}"
"""


GOOD = 'extern "C" __global__ void one(float* x) { x[threadIdx.x] *= 2; }'


def test_nvrtc_accepts_good_kernels_and_names_the_line_of_a_bad_one():
    compiled = nvrtc()
    compiled(GOOD)
    for _, code in kernels_in(ast.parse(WRITTEN)):
        compiled(code)
    with pytest.raises(Exception, match=r"k\.cu\(1\)"):
        compiled(GOOD.replace("threadIdx", "nobody"))


def test_every_kernel_of_the_package_is_compiled():
    """There is none so far: what a GPU runs is written by CuPy and cuBLAS."""
    found = [
        (path, name, code)
        for path, tree in trees("", "bench", "data", "layers", "networks", "ranks")
        for name, code in kernels_in(tree)
    ]
    if found:
        compiled = nvrtc()
        for path, name, code in found:
            assert code is not None, f"{path}: {name} has no literal source to compile"
            compiled(code)
