"""The two GPUs of 2012: one network on two ranks, each with half of the maps of every layer.

    conv1    each tower makes its half of the maps; both see the picture
    conv2    sees the maps of its own tower
    conv3    sees the maps of both: `Gathered`
    conv4    own tower
    conv5    own tower
    fc6-fc8  half of the units each, and they see those of both: `Gathered`, `Gathered`, `Gathered`
    softmax  sees the scores of both: `Joined`

That is figure 2 of the paper. A norm over neighbouring maps needs a few of the other tower's
(`Border`), unless the network's table keeps it within a tower, as what was run in 2012 did.
"""

import copy
from dataclasses import dataclass

import numpy as np

from minialexnet.backend import namespace
from minialexnet.chance import Columns
from minialexnet.errors import InputError
from minialexnet.layers import (
    AveragePool,
    Conv2D,
    Dropout,
    Flatten,
    Layer,
    Linear,
    LocallyConnected2D,
    LocalResponseNorm,
    MaxPool,
    Network,
    Parallel,
    ReLU,
    ResponseNorm,
    Sigmoid,
    Tanh,
)
from minialexnet.layers.base import Wrapper

FILTERED = (Conv2D, LocallyConnected2D, Linear)
# Each map by itself, so half of the maps are half of the work.
MAP_BY_MAP = (ReLU, Tanh, Sigmoid, MaxPool, AveragePool, ResponseNorm)
JOINED = "softmax"


@dataclass(frozen=True)
class Halves:
    """How many maps each tower has, and what it takes to reach the other.

    Parameters
    ----------
    pair : the two ranks; None where nobody talks
    tower : 0 or 1, which of them this is
    maps : of both
    what : the layer that asks, under whose name bytes are counted
    """

    pair: object
    tower: int
    maps: tuple[int, int]
    what: str

    @property
    def mine(self) -> slice:
        """Where this tower's maps are among all."""
        return slice(0, self.maps[0]) if self.tower == 0 else slice(self.maps[0], sum(self.maps))

    def in_order(self, mine, theirs) -> list:
        """Tower a's first."""
        return [mine, theirs] if self.tower == 0 else [theirs, mine]

    def swapped(self, x, maps: int, way: str):
        """So many maps from the other tower, for these; way: "forward" or "backward"."""
        like, what = (*x.shape[:-1], maps), f"{self.what} {way}"
        return self.pair.swapped(x.copy(), like, 1 - self.tower, what)


class Gathered(Layer):
    """y = the maps of both towers. dx = the sum of what the layers behind, on both ranks, ask for.

    Parameters
    ----------
    halves : of the maps that come
    """

    sliceable = False

    def __init__(self, halves: Halves):
        super().__init__()
        self.halves = halves

    def forward(self, x, rng=None):
        theirs = self.halves.swapped(x, self.halves.maps[1 - self.halves.tower], "forward")
        return namespace(x).concatenate(self.halves.in_order(x, theirs), axis=-1), None

    def backward(self, dy, cache):
        border = self.halves.maps[0]
        a, b = dy[..., :border], dy[..., border:]
        mine, theirs = self.halves.in_order(a, b)
        return mine + self.halves.swapped(theirs, mine.shape[-1], "backward"), {}


class Joined(Gathered):
    """The same for the scores. Both ranks know the loss and its whole gradient: nothing to send."""

    def backward(self, dy, cache):
        return dy[..., self.halves.mine], {}


class Border(Wrapper):
    """A norm over neighbouring maps, with the few maps that lie beyond the border between towers.

    An output needs `reach` maps beyond, and so does a gradient. The scale of these needs as many
    again: 2 reach maps cross forward, and the gradients of reach maps backward.
    """

    sliceable = False

    def __init__(self, layer: LocalResponseNorm, halves: Halves):
        super().__init__(layer)
        self.halves = halves
        self.reach = layer.size // 2

    def forward(self, x, rng=None):
        theirs = self._beyond(x, 2 * self.reach, "forward")
        y, cache = self.layer.forward(self._beside(x, theirs), rng)
        return self._own(y, x.shape[-1]), (cache, theirs.shape[-1])

    def backward(self, dy, cache):
        cache, wide = cache
        theirs = self._beyond(dy, self.reach, "backward")
        # What lies farther beyond has no part in this tower's gradient.
        far = namespace(dy).zeros((*dy.shape[:-1], wide - theirs.shape[-1]), dy.dtype)
        pair = [theirs, far] if self.halves.tower == 0 else [far, theirs]
        theirs = namespace(dy).concatenate(pair, axis=-1)
        dx, grads = self.layer.backward(self._beside(dy, theirs), cache)
        return self._own(dx, dy.shape[-1]), grads

    def _beyond(self, x, wide: int, way: str):
        tower, maps = self.halves.tower, self.halves.maps
        gives, takes = min(wide, maps[tower]), min(wide, maps[1 - tower])
        near = x[..., maps[0] - gives :] if tower == 0 else x[..., :gives]
        return self.halves.swapped(near, takes, way)

    def _beside(self, mine, theirs):
        return namespace(mine).concatenate(self.halves.in_order(mine, theirs), axis=-1)

    def _own(self, y, maps: int):
        return y[..., :maps] if self.halves.tower == 0 else y[..., -maps:]


class Dropped(Wrapper):
    """Dropout on this tower's features: it drops what the whole network would drop of them."""

    def __init__(self, layer: Dropout, halves: Halves):
        super().__init__(layer)
        self.halves = halves

    def forward(self, x, rng=None):
        if rng is not None:
            mine = self.halves.mine
            rng = Columns(rng, mine.start, mine.stop, sum(self.halves.maps))
        return self.layer.forward(x, rng)

    def backward(self, dy, cache):
        return self.layer.backward(dy, cache)


class Tower(Network):
    """One of the two towers of a network. The other one is on the other rank.

    Its parameters have the names that they have in the whole network: "conv1.weight" is this
    tower's half of it, along the last axis, and "conv2.a.weight" is there in tower a alone.

    Parameters
    ----------
    whole : the network, with the parameters of both
    pair : the two ranks; None for a tower to look at, such as its `layers`
    tower : 0 for a, 1 for b

    Raises
    ------
    InputError
        If the network has a layer that cannot be split so.
    """

    def __init__(self, whole: Network, pair, tower: int):
        super().__init__({})
        self.pair, self.tower = pair, tower
        self.names, maps = tuple(whole.params), None
        # Names of parameters of which each tower has a part, with the sizes of both.
        self.parts: dict[str, tuple[int, int]] = {}
        for name, layer in whole.layers.items():
            halves = Halves(pair, tower, maps, name)
            match layer:
                case _ if type(layer) in FILTERED:
                    if maps:
                        self.layers[f"gather for {name}"] = Gathered(halves)
                    maps = _halved(layer.params["bias"].shape[-1])
                    self.layers[name] = self._filters(name, layer, Halves(pair, tower, maps, name))
                case Parallel() if maps and len(layer.layers) == 2:
                    own = list(layer.layers)[tower]
                    self.layers[name] = type(layer)({own: layer.layers[own]})
                    if isinstance(layer.layers[own], FILTERED):
                        maps = tuple(one.params["bias"].shape[-1] for one in layer.layers.values())
                case LocalResponseNorm() if maps:
                    self.layers[name] = Border(layer, halves)
                case Flatten() if maps:
                    self.layers[f"gather for {name}"] = Gathered(halves)
                    self.layers[name], maps = layer, None
                case Dropout() if maps:
                    self.layers[name] = Dropped(layer, halves)
                case _ if type(layer) in MAP_BY_MAP or type(layer) in (Dropout, Flatten):
                    self.layers[name] = layer
                case _:
                    raise InputError(
                        f'--towers does not know how to split the layer "{name}", {layer!r}'
                    )
        self.layers[f"gather for {JOINED}"] = Joined(Halves(pair, tower, maps, JOINED))

    def _filters(self, name: str, layer: Layer, halves: Halves) -> Layer:
        """The layer with this tower's filters alone."""
        part = copy.copy(layer)
        part.params = {key: array[..., halves.mine].copy() for key, array in layer.params.items()}
        size = "units" if isinstance(layer, Linear) else "filters"
        setattr(part, size, halves.maps[self.tower])
        self.parts |= {self._joined(name, key): halves.maps for key in layer.params}
        return part

    def own(self, arrays: dict) -> dict:
        """This tower's part of arrays named like the whole network's parameters."""
        found = {}
        for name in self.params:
            if name in arrays:
                maps = self.parts.get(name)
                place = Halves(self.pair, self.tower, maps, name).mine if maps else ...
                found[name] = arrays[name][..., place].copy() if maps else arrays[name]
        return found

    def whole(self, arrays: dict) -> dict:
        """The host's arrays of both towers as the whole network has them; both ranks call."""
        a, b = self.pair.each(arrays)
        found = {}
        for name in self.names:
            if name in self.parts and name in a:
                found[name] = np.concatenate([a[name], b[name]], axis=-1)
            elif name in a or name in b:
                found[name] = a[name] if name in a else b[name]
        return found


def _halved(maps: int) -> tuple[int, int]:
    return maps - maps // 2, maps // 2
