"""Answers to the exercise on the two towers."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.layers import Parallel

HERE = Submissions()


class Written(Parallel):
    """What most students write, tower by tower."""

    def forward(self, x, rng=None):
        ys, cache = [], {}
        for number, (name, tower) in enumerate(self.layers.items()):
            y, cache[name] = self.run(tower, self.share(x, number), rng)
            ys.append(y)
        return self.join(ys), cache

    def backward(self, dy, cache):
        dxs, grads = [], {}
        for number, (name, tower) in enumerate(self.layers.items()):
            dx, grads[name] = tower.backward(self.share_back(dy, number), cache[name])
            dxs.append(dx)
        return self.join_back(dxs), self._grads(grads)

    def __call__(self, x):
        return self.forward(x)[0]

    def run(self, tower, x, rng):
        return tower.forward(x, rng)

    def share(self, x, number):
        size = x.shape[-1] // len(self.layers)
        return x[..., number * size : (number + 1) * size]

    def share_back(self, dy, number):
        return self.share(dy, number)

    def join(self, ys):
        return np.concatenate(ys, axis=-1)

    def join_back(self, dxs):
        return np.concatenate(dxs, axis=-1) if self.input_grad else None


@HERE.correct
class TowerByTower(Written):
    pass


@HERE.correct
class SplitAndZip(Parallel):
    def forward(self, x, rng=None):
        shares = np.array_split(x, len(self.layers), axis=-1)
        pairs = [t.forward(s, rng) for t, s in zip(self.layers.values(), shares, strict=True)]
        return np.concatenate([y for y, _ in pairs], -1), [undo for _, undo in pairs]

    def backward(self, dy, cache):
        shares = np.array_split(dy, len(self.layers), axis=-1)
        towers = zip(self.layers.values(), shares, cache, strict=True)
        pairs = [tower.backward(share, undo) for tower, share, undo in towers]
        grads = dict(zip(self.layers, [grads for _, grads in pairs], strict=True))
        dx = np.concatenate([dx for dx, _ in pairs], -1) if self.input_grad else None
        return dx, self._grads(grads)


@HERE.correct
class ChannelByChannel(Written):
    """Loops, and an array that is filled."""

    def share(self, x, number):
        size = x.shape[-1] // len(self.layers)
        return np.stack([x[..., number * size + c] for c in range(size)], axis=-1)

    def join(self, ys):
        size = ys[0].shape[-1]
        y = np.zeros((*ys[0].shape[:-1], size * len(ys)), ys[0].dtype)
        for number, mine in enumerate(ys):
            for c in range(size):
                y[..., number * size + c] = mine[..., c]
        return y


@HERE.correct
class AnAxisForTheTowers(Written):
    """The towers as an axis of their own, (..., towers, channels), taken apart by einsum."""

    def share(self, x, number):
        apart = x.reshape(*x.shape[:-1], len(self.layers), -1)
        chosen = np.eye(len(self.layers), dtype=x.dtype)[number]
        return np.einsum("...tc,t->...c", apart, chosen)

    def join(self, ys):
        return np.stack(ys, axis=-2).reshape(*ys[0].shape[:-1], -1)


@HERE.mistake("joined in reverse")
class OutputsReversed(Written):
    def join(self, ys):
        return super().join(ys[::-1])


@HERE.mistake("each other's channels")
class SharesReversed(Written):
    def share(self, x, number):
        return super().share(x, len(self.layers) - 1 - number)

    def share_back(self, dy, number):
        return super().share(dy, number)


@HERE.mistake("dx are joined in reverse")
class GradientsReversed(Written):
    def join_back(self, dxs):
        return super().join_back(dxs[::-1])


@HERE.mistake("every other channel")
class EveryOtherChannel(Written):
    def share(self, x, number):
        return x[..., number :: len(self.layers)]

    def share_back(self, dy, number):
        return Written.share(self, dy, number)


@HERE.mistake("every other channel of dy")
class EveryOtherChannelOfDy(Written):
    def share_back(self, dy, number):
        return dy[..., number :: len(self.layers)]


@HERE.mistake("interleaved")
class Interleaved(Written):
    def join(self, ys):
        return np.stack(ys, axis=-1).reshape(*ys[0].shape[:-1], -1)


@HERE.mistake("rng is not handed on")
class NoChance(Written):
    def run(self, tower, x, rng):
        return tower.forward(x)


@HERE.mistake("hand on the one rng")
class ChanceOfTheirOwn(Written):
    def run(self, tower, x, rng):
        if rng is None:
            return tower.forward(x)
        if getattr(self, "last", None) is not rng:
            self.last, self.state = rng, rng.bit_generator.state
        again = np.random.default_rng()
        again.bit_generator.state = self.state
        return tower.forward(x, again)


@HERE.mistake("the first share")
class AllSeeTheFirstShare(Written):
    def share(self, x, number):
        return super().share(x, 0)

    def share_back(self, dy, number):
        return super().share(dy, number)


@HERE.mistake("the first share of dy")
class AllGetTheFirstShareOfDy(Written):
    def share_back(self, dy, number):
        return super().share(dy, 0)


@HERE.mistake("they should be joined")
class Added(Written):
    def join(self, ys):
        return sum(ys)


@HERE.mistake("joined along the wrong axis")
class JoinedAsImages(Written):
    def join(self, ys):
        return np.concatenate(ys, axis=0)


@HERE.mistake("only the first tower sends back")
class FirstTowerOnly(Written):
    def join_back(self, dxs):
        return super().join_back([dxs[0], *(np.zeros_like(dx) for dx in dxs[1:])])


@HERE.mistake("gradients for")
class NamesLost(Written):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {name.partition(".")[2]: grad for name, grad in grads.items()}


@HERE.mistake("this is the gradient of tower")
class OneTowersGradients(Written):
    """The last tower's gradients for all, where they have the same shapes."""

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        last = list(self.layers)[-1]
        return dx, {
            name: grads.get(f"{last}.{name.partition('.')[2]}", grad)
            for name, grad in grads.items()
        }


@HERE.mistake("twice as large")
class DoubledGradient(Written):
    def join_back(self, dxs):
        return 2 * super().join_back(dxs)


@HERE.mistake("dy was written into")
class DyInPlace(Written):
    def backward(self, dy, cache):
        result = super().backward(dy, cache)
        dy[...] = 0
        return result


@HERE.mistake("float32 became float64")
class Float64Creep(Written):
    def join(self, ys):
        y = np.zeros((*ys[0].shape[:-1], sum(y.shape[-1] for y in ys)))
        return y + super().join(ys)


@HERE.mistake("0.1 %")
class AThousandth(Written):
    def join_back(self, dxs):
        dx = super().join_back(dxs)
        return dx * dx.dtype.type(1.001)


@HERE.mistake("belongs in the cache")
class RemembersItsCaches(Written):
    def forward(self, x, rng=None):
        y, self.caches = super().forward(x, rng)
        return y, None

    def backward(self, dy, cache):
        return super().backward(dy, self.caches)


@HERE.mistake(None)
class TwoTowersOnly(Written):
    """Halves, however many towers there are."""

    def share(self, x, number):
        if len(self.layers) == 2:
            return super().share(x, number)
        return super().share(x, min(number, 1))

    def share_back(self, dy, number):
        return Written.share(self, dy, min(number, 1))
