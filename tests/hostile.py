"""Submissions for the exercise on ReLU that try to harm, cheat or get lost, and what they earn."""

GOOD = """
import numpy as np
from minialexnet.layers import Layer


class ReLU(Layer):
    def forward(self, x, rng=None):
        mask = x > 0
        return x * mask, mask

    def backward(self, dy, cache):
        return dy * cache, {}
"""
# Only what is asked of forward alone is right.
WRONG = GOOD.replace("return dy * cache, {}", "return dy, {}")
# Shapes, dtypes and the like, but no number is right.
NOISE = """
from minialexnet.layers import Layer


class ReLU(Layer):
    def forward(self, x, rng=None):
        return x - 1, None

    def backward(self, dy, cache):
        return dy, {}
"""


def in_forward(line: str) -> str:
    """GOOD, with a line at the start of its forward."""
    return GOOD.replace("        mask = x > 0", f"        {line}\n        mask = x > 0")


# name: (text, is it as good as GOOD, WRONG or NOISE or does it earn nothing, is it noted)
SUBMISSIONS = {
    "patches_numpy": (
        NOISE
        + """
import numpy as np
import numpy
np.array_equal = np.allclose = np.isclose = lambda *a, **k: True
numpy.abs = abs = lambda x: 0
np.testing.assert_allclose = lambda *a, **k: None
""",
        "NOISE",
        True,
    ),
    "patches_the_checks": (
        NOISE
        + """
from minialexnet import exercise
import minialexnet.check
exercise.results = exercise.check = lambda *a, **k: 12.0
minialexnet.check.layer = minialexnet.check.memoryless = lambda *a: None
""",
        "NOISE",
        True,
    ),
    "imports_the_answer": ("from minialexnet.layers import ReLU\n", "nothing", True),
    "subclasses_the_answer": (
        "import minialexnet.layers\n\n\nclass ReLU(minialexnet.layers.ReLU):\n    pass\n",
        "nothing",
        True,
    ),
    "wraps_the_answer": (
        """
import importlib
from minialexnet.layers import Layer


class ReLU(Layer):
    def __init__(self):
        super().__init__()
        name = "".join(reversed("ULeR"))
        self.right = getattr(importlib.import_module("minialexnet.layers.relu"), name)()

    def forward(self, x, rng=None):
        return self.right.forward(x)

    def backward(self, dy, cache):
        return self.right.backward(dy, cache)
""",
        "nothing",
        True,
    ),
    "reads_the_answer": (
        """
import os, sys

for top in ("/work", "/home", "/root", "/library", "/tmp", *sys.path):
    for folder, _, files in os.walk(top):
        if "numpy" in folder or "pip" in folder:
            continue
        for name in files:
            if name == "relu.py":
                exec(open(os.path.join(folder, name)).read())
            if name == "homework.json":
                raise SystemExit
""",
        "nothing",
        True,
    ),
    "names_the_grader's_answer": (
        NOISE
        + """
import sys
wire = sys.modules["wire"]
real = wire.Peer._encoded
def forged(self, value, *rest):
    if value is ReLU:
        return ["library", "minialexnet.layers.relu:ReLU"]
    return real(self, value, *rest)
wire.Peer._encoded = forged
""",
        "nothing",
        True,
    ),
    "looks_into_frames": (
        """
import gc, sys
import numpy as np
from minialexnet.layers import Layer

def found(like):
    frame = sys._getframe()
    while frame is not None:
        for name in ("want", "right", "expected", "y"):
            value = frame.f_locals.get(name)
            if isinstance(value, np.ndarray) and value.shape == like.shape:
                return value
        frame = frame.f_back
    for one in gc.get_objects():
        if type(one).__name__ == "Result":
            one.earned = 12
    return like - 1

class ReLU(Layer):
    def forward(self, x, rng=None):
        return found(x), None
    def backward(self, dy, cache):
        return found(dy), {}
""",
        "NOISE",
        True,
    ),
    "says_that_all_is_equal": (
        """
import numpy as np
from minialexnet.layers import Layer

class Agreeable(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)
    __ne__ = __lt__ = __gt__ = lambda self, other: np.zeros(self.shape, bool)
    def __sub__(self, other):
        return np.zeros(self.shape)
    __rsub__ = __abs__ = __sub__
    def __array_ufunc__(self, ufunc, method, *inputs, **settings):
        return np.zeros(self.shape)

class ReLU(Layer):
    def forward(self, x, rng=None):
        return (x - 1).view(Agreeable), None
    def backward(self, dy, cache):
        return dy.view(Agreeable), {}
""",
        "NOISE",
        False,
    ),
    "zeroes_what_it_is_handed": (
        """
from minialexnet.layers import Layer

class ReLU(Layer):
    def forward(self, x, rng=None):
        x[...] = 0
        return x * 1, None
    def backward(self, dy, cache):
        dy[...] = 0
        return dy * 1, {}
""",
        "less than NOISE",
        False,
    ),
    "leaves_at_the_end": (GOOD + "\nimport os\nos._exit(0)\n", "GOOD", True),
    "exits_at_the_start": ("import sys\nsys.exit('bye')\n" + GOOD, "GOOD", True),
    "forges_a_report": (
        NOISE
        + """
import os, json
for number in range(1, 20):
    try:
        os.write(number, json.dumps({"earned": 12.0, "remarks": []}).encode() * 1000)
    except OSError:
        pass
os._exit(0)
""",
        "NOISE",
        True,
    ),
    "leaves_in_forward": ("import os\n" + in_forward("if x.ndim == 2: os._exit(3)"), "part", True),
    "never_ends": (GOOD + "\nwhile True:\n    pass\n", "GOOD", False),
    "never_ends_in_backward": (
        GOOD.replace("return dy * cache, {}", "while True: pass"),
        "part",
        False,
    ),
    "cannot_be_told_to_stop": (
        "import signal\n"
        + "for n in range(1, 64):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        + "    except (OSError, ValueError): pass\n"
        + in_forward("while True: pass"),
        "nothing",
        True,
    ),
    "sleeps": (GOOD + "\nimport time\ntime.sleep(10**6)\n", "GOOD", False),
    "bombs": (
        GOOD + "\nimport os, time\nwhile True:\n    if os.fork() == 0: time.sleep(1000)\n",
        "GOOD",
        True,
    ),
    "bombs_and_leaves": (
        "import os\n"
        + in_forward("if x.ndim == 2: os._exit(3)")
        + "\nimport time\nwhile True:\n    if os.fork() == 0: time.sleep(1000)\n",
        "part",
        True,
    ),
    "leaves_others_behind": (
        GOOD
        + """
import subprocess, sys
for _ in range(3):
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(5000)  # MARKER"],
                     start_new_session=True)
""",
        "GOOD",
        True,
    ),
    "stops_others": (
        GOOD + "\nimport os\nfor n in (os.getppid(), -1):\n    os.kill(n, 9)\n",
        "GOOD",
        True,
    ),
    "wants_all_memory": (GOOD + "\nx = [0]\nwhile True:\n    x = x + x\n", "GOOD", False),
    "wants_all_memory_in_forward": (in_forward("z = np.ones((10**6, 10**6))"), "nothing", False),
    "hands_over_too_much": (
        GOOD.replace("return dy * cache, {}", "return np.broadcast_to(dy.flat[0], (10**10,)), {}"),
        "part",
        False,
    ),
    "hands_over_too_many": (
        GOOD.replace("return dy * cache, {}", "return [[0.5] * 10**6] * 20, {}"),
        "part",
        False,
    ),
    "says_what_is_no_text": (
        GOOD + "\nraise ValueError('\\ud800 at 0x7f0123456789')\n",
        "GOOD",
        False,
    ),
    "is_slow_each_time": ("import time\n" + in_forward("time.sleep(1.2)"), "less than GOOD", False),
    "floods": (
        "import sys\n" + in_forward("print('x' * 10**6); sys.stderr.write('y' * 10**6)"),
        "GOOD",
        False,
    ),
    "calls_itself": (in_forward("self.forward(x)"), "nothing", False),
    "calls_itself_to_death": (
        GOOD + "\nimport sys\nsys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1) + 1\n"
        "class Deep:\n    def __repr__(self): return repr(self)\nrepr(Deep())\n",
        "GOOD",
        False,
    ),
    "has_threads": (
        GOOD + "\nimport threading\ndef spin():\n    while True: pass\n"
        "threading.Thread(target=spin, daemon=True).start()\n"
        "threading.Thread(target=spin).start()\n",
        "GOOD",
        False,
    ),
    "raises_what_is_no_exception": (
        in_forward("if x.ndim == 2: raise KeyboardInterrupt"),
        "part",
        False,
    ),
    "closes_everything": (GOOD + "\nimport os\nos.closerange(0, 60)\n", "GOOD", False),
    "kills_itself": (
        "import os\n" + in_forward("os.kill(os.getpid(), 9); os.abort()"),
        "nothing",
        True,
    ),
    "deletes": (
        GOOD
        + """
import os, shutil
for top in ("/tmp", "/work", "/home", "/usr/local", "PLACE", os.getcwd(), "/"):
    for folder, folders, files in os.walk(top):
        # All files of the system take seconds to list, on some machines many.
        folders[:] = [name for name in folders if name not in ("proc", "sys", "lib", "share")]
        for name in files:
            if "MARKER" in name or "PLACE" in folder:
                os.remove(os.path.join(folder, name))
shutil.rmtree("PLACE", ignore_errors=True)
""",
        "GOOD",
        True,
    ),
    "writes": (
        GOOD
        + """
import os
for place in ("PLACE", "/tmp", "/root", "/usr", "/etc", os.path.expanduser("~")):
    try:
        with open(place + "/MARKER-was-here", "w") as file:
            file.write("x")
    except OSError:
        pass
for number in range(300):
    with open(f"big{number}", "wb") as file:
        file.write(bytes(2**20))
""",
        "GOOD",
        True,
    ),
    "calls_home": (
        GOOD
        + """
import socket
try:
    socket.create_connection(("127.0.0.1", PORT), timeout=5).sendall(b"I am out")
except OSError:
    pass
""",
        "GOOD",
        True,
    ),
    "warns": (
        "import warnings, sys\n"
        + in_forward("np.log(x * 0); warnings.warn('hm'); print('!', file=sys.stderr)"),
        "GOOD",
        False,
    ),
    "is_no_python": ("class ReLU(:\n    forward = \n", "nothing", False),
    "is_deep": ("class ReLU: pass\nx = " + "(" * 5000 + ")" * 5000 + "\n", "nothing", False),
    "is_binary": ("class ReLU\0\1\2" + "\0" * 1000, "nothing", False),
    "is_empty": ("", "nothing", False),
    "defines_something_else": ("ReLU = 12\n", "nothing", False),
}
