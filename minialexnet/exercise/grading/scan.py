"""What in a submission's text looks like an attempt on the marks, for the instructor to judge.

None of it changes a mark: the marks are safe without it. It tells who tried.
"""

import ast

from minialexnet.exercise.grading.submission import parsed

MODULES = {
    "ctypes": "reaches into the memory of the process",
    "gc": "looks at all objects of the process",
    "socket": "uses the network",
    "subprocess": "starts other programs",
    "multiprocessing": "starts other processes",
    "urllib": "uses the network",
    "requests": "uses the network",
    "signal": "changes how the process is stopped",
    "atexit": "does something when the process ends",
    "inspect": "looks at other code",
    "importlib": "imports by another way",
    "torch": "uses ready-made layers",
    "tensorflow": "uses ready-made layers",
    "jax": "uses ready-made layers",
    "keras": "uses ready-made layers",
    "cupy": "uses ready-made layers",
    "onnxruntime": "uses ready-made layers",
}
CALLS = {
    "exec": "runs text as code",
    "eval": "runs text as code",
    "compile": "runs text as code",
    "__import__": "imports by another way",
    "open": "opens a file",
    "os._exit": "ends the process",
    "os.fork": "starts other processes",
    "os.kill": "stops processes",
    "os.system": "starts other programs",
    "os.popen": "starts other programs",
    "os.write": "writes to whatever is open",
    "os.remove": "deletes files",
    "os.unlink": "deletes files",
    "shutil.rmtree": "deletes files",
    "sys._getframe": "looks at the code that called it",
    "sys.settrace": "watches all code",
    "sys.setprofile": "watches all code",
    "sys.exit": "ends the process",
}


def notes(cells, exercise) -> tuple[str, ...]:
    """One line for each thing found, in the order of the text, each kind once.

    Parameters
    ----------
    cells : ((name, text), ...)
    exercise : the `Exercise`; using the library's own version of it is such an attempt
    """
    found: dict[str, None] = {}
    allowed = _imports(exercise.stub)
    for name, text in cells:
        tree = parsed(text)
        if tree is None:
            continue
        try:
            for line, what in _Finder(exercise, allowed).of(tree):
                found.setdefault(f"{name}, line {line}: {what}")
        except RecursionError:
            found.setdefault(f"{name}: too deep to be looked at")
    return tuple(found)[:20]


def _imports(source: str) -> set[str]:
    return {
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }


class _Finder(ast.NodeVisitor):
    def __init__(self, exercise, allowed):
        self.exercise, self.allowed = exercise, allowed
        self.modules: dict[str, str] = {}
        self.found: list[tuple[int, str]] = []

    def of(self, tree):
        self.visit(tree)
        return self.found

    def _add(self, node, what):
        self.found.append((node.lineno, what))

    def _module(self, node, name, bound):
        self.modules[bound] = name
        top = name.partition(".")[0]
        if top in MODULES and ast.unparse(node) not in self.allowed:
            self._add(node, f"imports {name}: {MODULES[top]}")

    def visit_Import(self, node):
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            self._module(node, alias.name if alias.asname else bound, bound)

    def visit_ImportFrom(self, node):
        module = node.module or ""
        self._module(node, module, "")
        for alias in node.names:
            self.modules[alias.asname or alias.name] = f"{module}.{alias.name}"
            own = module.partition(".")[0] == "minialexnet"
            if own and (alias.name in (self.exercise.provides, "*") or ".exercise" in module):
                if ast.unparse(node) not in self.allowed:
                    self._add(node, f"imports the library's own answer ({ast.unparse(node)})")
            elif f"{module}.{alias.name}" in CALLS:
                self._add(node, f"{module}.{alias.name}: {CALLS[f'{module}.{alias.name}']}")

    def visit_Attribute(self, node):
        path = self._path(node)
        if node.attr in ("_memory", "__globals__", "f_globals", "f_back", "__subclasses__"):
            self._add(node, f"looks where it should not (.{node.attr})")
        elif path.startswith("minialexnet.") and node.attr == self.exercise.provides:
            self._add(node, f"uses the library's own answer ({path})")
        elif path == "sys.modules":
            self._add(node, "reaches for other modules (sys.modules)")
        elif isinstance(node.ctx, ast.Store | ast.Del) and self._is_module(node.value):
            self._add(node, f"changes another module ({path})")
        self.generic_visit(node)

    def visit_Call(self, node):
        path = self._path(node.func)
        if path in CALLS:
            self._add(node, f"{path}: {CALLS[path]}")
        elif path in ("setattr", "delattr") and node.args and self._is_module(node.args[0]):
            self._add(node, f"changes another module ({self._path(node.args[0])})")
        self.generic_visit(node)

    def _is_module(self, node) -> bool:
        first = node
        while isinstance(first, ast.Attribute):
            first = first.value
        return isinstance(first, ast.Name) and first.id in self.modules

    def _path(self, node) -> str:
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.append(self.modules.get(node.id, node.id))
        return ".".join(reversed(parts))
