"""An exercise cut out of the library's own source, so that nothing is ever typed twice."""

import ast
import importlib
import inspect
from dataclasses import dataclass

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
# What nbgrader puts in the place of a solution.
YOURS = ("# YOUR CODE HERE", "raise NotImplementedError()")
FIRST_PARTY = "minialexnet"


@dataclass(frozen=True)
class Source:
    """Where an answer stands in the library, and which part of it is the solution.

    Parameters
    ----------
    module : such as "minialexnet.layers.relu"
    name : of the class or function that is asked for
    write : the methods that the student writes; () if it is a function
    given : functions of the module that the student finds in the file
    helpers : functions of the module that belong to the solution; they stand behind `name`
    without : methods that do not belong to this exercise
    kept : methods with a leading underscore that the student finds in the file; those behind a
        written one belong to the solution otherwise
    """

    module: str
    name: str
    write: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def text(self, heading: str) -> str:
        """The instructor's file, headed by these lines of docstring."""
        lines = inspect.getsource(importlib.import_module(self.module)).splitlines()
        tree = ast.parse("\n".join(lines))
        hidden: dict[int, bool] = {}
        for node in tree.body:
            name = getattr(node, "name", None)
            if name == self.name:
                self._target(node, lines, hidden)
            elif name in (*self.given, *self.helpers):
                _take(node, lines, hidden, name in self.helpers)
        body = _marked(lines, hidden)
        imports = _imports(tree, self.module, body)
        return f'"""{heading}"""\n\n{imports}\n\n\n{body}\n'

    def _target(self, node, lines: list[str], hidden: dict[int, bool]) -> None:
        """Which lines of the class or function are in the file, and which are the solution."""
        if not self.write:
            _take_head(node, lines, hidden)
            return
        hidden |= dict.fromkeys(range(_first(node, lines), _first(node.body[0], lines)), False)
        written = False
        for part in node.body:
            name = getattr(part, "name", None)
            if name in self.write:
                written = True
                _take_head(part, lines, hidden)
            elif name not in self.without:
                own = written and bool(name) and name.startswith("_") and name not in self.kept
                _take(part, lines, hidden, own)


def stripped(answer: str) -> str:
    """An instructor's file without its solutions, as nbgrader makes it."""
    out, inside = [], False
    for line in answer.splitlines():
        if line.strip() == BEGIN:
            inside = True
            space = line[: line.index("#")]
            out += [space + words for words in YOURS]
        elif line.strip() == END:
            inside = False
        elif not inside:
            out.append(line)
    return "\n".join(out) + "\n"


def _take(node, lines: list[str], hidden: dict[int, bool], hide: bool) -> None:
    """Put a node, with the empty lines above it, into the file."""
    hidden |= dict.fromkeys(range(_first(node, lines), node.end_lineno + 1), hide)


def _take_head(node, lines: list[str], hidden: dict[int, bool]) -> None:
    """Put a function into the file, its body (docstring apart) as the solution."""
    start = node.body[1] if ast.get_docstring(node) is not None else node.body[0]
    _take(node, lines, hidden, True)
    hidden |= dict.fromkeys(range(_first(node, lines), _first(start, lines)), False)


def _first(node, lines: list[str]) -> int:
    """The line where a node begins, with its decorators, comments and the empty lines above."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    while first > 1 and (not lines[first - 2].strip() or lines[first - 2].strip()[0] == "#"):
        first -= 1
    return first


def _marked(lines: list[str], hidden: dict[int, bool]) -> str:
    """The chosen lines, with marks around each run of hidden ones."""
    out: list[str] = []
    inside = ""
    for number in sorted(hidden):
        line = lines[number - 1]
        if hidden[number] and not inside:
            inside = line[: len(line) - len(line.lstrip())] + END
            out.append(inside.replace(END, BEGIN))
        elif inside and not hidden[number]:
            out.append(inside)
            inside = ""
        out.append(line)
    if inside:
        out.append(inside)
    return "\n".join(out).strip("\n")


def _imports(tree, module: str, body: str) -> str:
    """The imports that the body needs, with what else it uses of its own module."""
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    inside = {getattr(node, "name", None) for node in ast.parse(body).body}
    found: dict[str, set[str]] = {}
    plain = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name).partition(".")[0] in used:
                    plain.append(ast.unparse(ast.Import([alias])))
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names if (alias.asname or alias.name) in used}
            if names:
                found.setdefault(node.module, set()).update(names)
    own = {name for node in tree.body for name in _defined(node)} & used - inside
    if own:
        found.setdefault(module, set()).update(own)
    froms = [f"from {where} import {', '.join(sorted(found[where]))}" for where in sorted(found)]
    groups = [[line for line in plain + froms if _group(line) == number] for number in range(3)]
    return "\n\n".join("\n".join(lines) for lines in groups if lines)


def _defined(node) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = getattr(node, "targets", [])
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _group(line: str) -> int:
    """Where an import stands: standard library, NumPy, the package."""
    where = line.split()[1].partition(".")[0]
    return 1 if where == "numpy" else 2 if where == FIRST_PARTY else 0
