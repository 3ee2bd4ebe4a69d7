"""Kernels written by hand in a source, and NVRTC, which compiles them without a GPU."""

import ast

import pytest

RAW = ("RawKernel", "RawModule")
BY_PARTS = ("ElementwiseKernel", "ReductionKernel")
# An elementwise kernel as CUDA, enough of it to check its expression.
ELEMENTWISE = "__global__ void {name}({arguments}, int n) {{\n int i = 0; {{ {body}; }}\n}}"
KINDS = {"float16": "__half", "float32": "float", "float64": "double", "int32": "int", "T": "float"}


def kernels_in(tree: ast.AST) -> list[tuple[str, str | None]]:
    """(what it is, its CUDA source or None) of every kernel that a source writes by hand."""
    found, seen = [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in RAW + BY_PARTS:
                words = [argument.value for argument in node.args if _text(argument)]
                seen.update(words)
                found.append((name, _source(name, words)))
    for node in ast.walk(tree):
        if _text(node) and "__global__" in node.value and node.value not in seen:
            found.append(("a string", node.value))
    return found


def _text(node) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _source(name: str, words: list[str]) -> str | None:
    if name in RAW:
        return words[0] if words else None
    if name != "ElementwiseKernel" or len(words) < 4:
        return None
    taken, given, body, called = words[:4]
    arguments = [(word.split(), "const ") for word in taken.split(",")]
    arguments += [(word.split(), "") for word in given.split(",")]
    listed = ", ".join(f"{const}{KINDS[kind]}& {one}" for (kind, one), const in arguments)
    return ELEMENTWISE.format(name=called, arguments=listed, body=body)


def nvrtc():
    """A function that compiles a source for an H200's architecture, or raises."""
    pytest.importorskip("cupy")
    pytest.importorskip("cupy_backends.cuda.libs.nvrtc")
    from cupy_backends.cuda.libs import nvrtc as library

    try:
        library.getVersion()
    except Exception as error:
        pytest.skip(f"needs NVRTC: pip install nvidia-cuda-nvrtc ({str(error).splitlines()[0]})")

    def compiled(code: str) -> None:
        program = library.createProgram(code, "k.cu", [], [])
        try:
            library.compileProgram(program, ["--gpu-architecture=sm_90", "-std=c++17"])
        except library.NVRTCError as error:
            raise RuntimeError(library.getProgramLog(program)) from error

    return compiled
