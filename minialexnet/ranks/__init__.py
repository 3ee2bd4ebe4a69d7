"""Many processes, "ranks", that train one network together.

Read the files in this order: alone (what a single process does, which is nothing), gradients (one
flat buffer, one message), mpi (messages, with a time limit), nccl (the same between GPUs), launch
(who started us, and how a job ends), towers (the two GPUs of 2012) and traffic (what they say to
each other). mpi4py and CuPy are imported when they are needed, never before.
"""

from minialexnet.ranks.alike import Differing, demand_alike
from minialexnet.ranks.alone import Agreed, Alone
from minialexnet.ranks.launch import LIMIT, over_ranks

__all__ = ["LIMIT", "Agreed", "Alone", "Differing", "demand_alike", "over_ranks"]
