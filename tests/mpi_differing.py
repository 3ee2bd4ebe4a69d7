"""Three ranks, the last of which has lost a bit; run under mpiexec."""

import numpy as np

from minialexnet.backend import device
from minialexnet.ranks import Differing, demand_alike, over_ranks


def work(ranks):
    params = {"a": np.ones(3, np.float32), "b": np.ones(3, np.float32)}
    demand_alike(ranks, params, device("cpu"))
    if ranks.rank == 2:
        params["b"][1] = np.nextafter(np.float32(1), np.float32(2))
    try:
        demand_alike(ranks, params, device("cpu"))
    except Differing as error:
        print(error, flush=True)
    return 0


raise SystemExit(over_ranks(work, 30))
