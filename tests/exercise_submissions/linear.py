"""Answers to the exercise on the fully connected layer."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.layers import Linear

HERE = Submissions()


@HERE.correct
class Loops(Linear):
    def forward(self, x, rng=None):
        weight, bias = self.params["weight"], self.params["bias"]
        y = np.zeros((len(x), self.units), x.dtype)
        for n in range(len(x)):
            for o in range(self.units):
                y[n, o] = bias[o]
                for d in range(self.features):
                    y[n, o] += x[n, d] * weight[d, o]
        return y, x

    def backward(self, dy, cache):
        x, weight = cache, self.params["weight"]
        dx, dweight, dbias = np.zeros_like(x), np.zeros_like(weight), np.zeros_like(dy[0])
        for n, o in np.ndindex(dy.shape):
            dbias[o] += dy[n, o]
            for d in range(len(weight)):
                dx[n, d] += dy[n, o] * weight[d, o]
                dweight[d, o] += dy[n, o] * x[n, d]
        return dx, {"weight": dweight, "bias": dbias}


@HERE.correct
class Einsum(Linear):
    def forward(self, x, rng=None):
        return np.einsum("nd,do->no", x, self.params["weight"]) + self.params["bias"], (x,)

    def backward(self, dy, cache):
        (x,) = cache
        dweight, dbias = np.einsum("nd,no->do", x, dy), np.einsum("no->o", dy)
        return np.einsum("no,do->nd", dy, self.params["weight"]), {"bias": dbias, "weight": dweight}


@HERE.correct
class OnesAppended(Linear):
    """The bias as the weight of one more feature, which is always 1."""

    def forward(self, x, rng=None):
        longer = np.concatenate([x, np.ones((len(x), 1), x.dtype)], axis=1)
        weight = np.vstack([self.params["weight"], self.params["bias"]])
        return np.dot(longer, weight), longer

    def backward(self, dy, cache):
        both = np.dot(cache.T, dy)
        return np.dot(dy, self.params["weight"].T), {"weight": both[:-1], "bias": both[-1]}


@HERE.correct
class Transposed(Linear):
    def forward(self, x, rng=None):
        return (self.params["weight"].T @ x.T + self.params["bias"][:, None]).T, {"x": x}

    def backward(self, dy, cache):
        dweight = (dy.T @ cache["x"]).T
        dbias = np.ones(len(dy), dy.dtype) @ dy
        return (self.params["weight"] @ dy.T).T, {"weight": dweight, "bias": dbias}


@HERE.mistake("the bias is forgotten")
class ForgottenBias(Linear):
    def forward(self, x, rng=None):
        return x @ self.params["weight"], x


@HERE.mistake("dbias is 0 everywhere")
class NoBiasGradient(Linear):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "bias": np.zeros_like(grads["bias"])}


@HERE.mistake("features in and out swapped")
class TransposedWeightGradient(Linear):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "weight": dy.T @ cache}


@HERE.mistake("the weight should be transposed")
class RightForSquareShapesOnly(Linear):
    def backward(self, dy, cache):
        if self.features != self.units:
            return super().backward(dy, cache)
        return dy @ self.params["weight"], super().backward(dy, cache)[1]


@HERE.mistake("matmul")
class UntransposedWeight(Linear):
    def backward(self, dy, cache):
        return dy @ self.params["weight"], super().backward(dy, cache)[1]


@HERE.mistake("divided by N")
class MeanOverTheBatch(Linear):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {key: grad / len(dy) for key, grad in grads.items()}


@HERE.mistake("it should be the sum")
class MeanOfTheBias(Linear):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "bias": dy.mean(axis=0)}


@HERE.mistake("gradient of the bias is forgotten")
class MissingKey(Linear):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {"weight": grads["weight"]}


@HERE.mistake("keepdims")
class BiasKeepsItsAxis(Linear):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "bias": dy.sum(axis=0, keepdims=True)}


@HERE.mistake("over the features")
class BiasSummedOverFeatures(Linear):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "bias": dy.sum(axis=1)}


@HERE.mistake("twice as large")
class DoubledGradient(Linear):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return 2 * dx, grads


@HERE.mistake("0.1 %")
class AThousandth(Linear):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "weight": grads["weight"] * 1.001}


@HERE.mistake("x was written into")
class InPlace(Linear):
    def forward(self, x, rng=None):
        y, cache = super().forward(x.copy())
        x *= 0
        return y, cache


@HERE.mistake("dy was written into")
class DyInPlace(Linear):
    def backward(self, dy, cache):
        result = super().backward(dy, cache)
        dy /= len(dy)
        return result


@HERE.mistake("float32 became float64")
class Float64Creep(Linear):
    def forward(self, x, rng=None):
        y = np.zeros((len(x), self.units))
        y += x @ self.params["weight"] + self.params["bias"]
        return y, x


@HERE.mistake("belongs in the cache")
class RemembersX(Linear):
    def forward(self, x, rng=None):
        self.x = x
        return super().forward(x)[0], None

    def backward(self, dy, cache):
        return super().backward(dy, self.x)


@HERE.mistake("weight decay is the optimiser's")
class DecaysToo(Linear):
    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        return dx, {**grads, "weight": grads["weight"] + self.params["weight"]}


@HERE.mistake("forward must return (y, cache)")
class NoCache(Linear):
    def forward(self, x, rng=None):
        return super().forward(x)[0]


@HERE.mistake(None)
class GradientsPileUp(Linear):
    total = 0

    def backward(self, dy, cache):
        dx, grads = super().backward(dy, cache)
        self.total = (self.total + grads["weight"]).astype(dy.dtype)
        return dx, {**grads, "weight": self.total}
