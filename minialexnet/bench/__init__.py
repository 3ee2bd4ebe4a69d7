"""How fast a network is, against the machine's limit and against PyTorch."""

from minialexnet.bench.feeding import feeding_speeds
from minialexnet.bench.layers import layer_times
from minialexnet.bench.turns import measured
from minialexnet.bench.work import TASKS, Work

__all__ = ["TASKS", "Work", "feeding_speeds", "layer_times", "measured"]
