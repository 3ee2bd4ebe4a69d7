"""Answers to the exercise on gradient descent."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.optim import SGD

HERE = Submissions()


@HERE.correct
class OneLine(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - rate * (grad + decay * weight)
        return weight + new, new


@HERE.correct
class Loops(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        moved, new = np.zeros_like(weight), np.zeros_like(weight)
        for index in np.ndindex(weight.shape):
            new[index] = self.momentum * velocity[index] - rate * decay * weight[index]
            new[index] -= rate * grad[index]
            moved[index] = weight[index] + new[index]
        return moved, new


@HERE.correct
class Einsum(SGD):
    """The three terms as a product with their factors."""

    def _moved(self, weight, velocity, grad, rate, decay):
        terms = np.stack([velocity, weight, grad])
        factors = np.array([self.momentum, -rate * decay, -rate], weight.dtype)
        new = np.einsum("t,t...->...", factors, terms)
        return new + weight, new


@HERE.correct
class OfItsOwn:
    """Nothing of the library's: names and patterns by itself."""

    def __init__(self, momentum=0.9, decay=0.0005, rates=None, decays=None):
        self.momentum, self.decay = momentum, decay
        self.rates, self.decays = rates or {}, decays or {}
        self.velocity = {}

    def step(self, params, grads, rate, epoch=0.0):
        moved = {}
        for name, w in params.items():
            factor = self.found(self.rates, name, 1)
            decay = self.found(self.decays, name, self.decay)
            if factor == 0:
                moved[name] = w
                continue
            v = self.velocity.get(name, w.dtype.type(0))
            v = self.momentum * v - factor * rate * decay * w - factor * rate * grads[name]
            self.velocity[name], moved[name] = v, w + v
        return moved

    def found(self, patterns, name, otherwise):
        for pattern, value in patterns.items():
            start, _, end = pattern.partition("*")
            if name.startswith(start) and name.endswith(end):
                otherwise = value
        return otherwise


@HERE.mistake("the weight decay is forgotten")
class ForgottenDecay(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - rate * grad
        return weight + new, new


@HERE.mistake("momentum has no effect")
class ForgottenMomentum(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = -rate * (grad + decay * weight)
        return weight + new, new


@HERE.mistake("momentum has no effect")
class PlainDescent(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        return weight - rate * grad, -rate * grad


@HERE.mistake("up the gradient")
class UpTheGradient(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - rate * decay * weight + rate * grad
        return weight + new, new


@HERE.mistake("PyTorch's rule")
class RateOutside(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity + grad + decay * weight
        return weight - rate * new, new


@HERE.mistake("the decay is not multiplied by the learning rate")
class DecayWithoutRate(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - decay * weight - rate * grad
        return weight + new, new


@HERE.mistake("the sign of the decay")
class DecaySign(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity + rate * decay * weight - rate * grad
        return weight + new, new


@HERE.mistake("1 - momentum")
class RunningMean(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - (1 - self.momentum) * rate * (grad + decay * weight)
        return weight + new, new


@HERE.mistake("Nesterov")
class Nesterov(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        pull = rate * (grad + decay * weight)
        new = self.momentum * velocity - pull
        return weight + self.momentum * new - pull, new


@HERE.mistake("by the new one it should")
class OldVelocity(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - rate * (grad + decay * weight)
        return weight + velocity, new


@HERE.mistake("the velocity is not kept for the next step")
class VelocityNotKept(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - rate * (grad + decay * weight)
        return weight + new, velocity


@HERE.mistake("never weakened")
class VelocityNeverWeakened(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = velocity - rate * (grad + decay * weight)
        return weight + new, new


@HERE.mistake("it should be self.momentum")
class NinetyPercent(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = 0.9 * velocity - rate * (grad + decay * weight)
        return weight + new, new


@HERE.mistake("the decay belongs into the velocity too")
class DecayOutsideTheVelocity(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - rate * grad
        return weight + new - rate * decay * weight, new


@HERE.mistake("in proportion to w")
class SignDecay(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - rate * (grad + decay * np.sign(weight))
        return weight + new, new


@HERE.mistake("was written into")
class WeightInPlace(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - rate * (grad + decay * weight)
        weight += new
        return weight, new


@HERE.mistake("was written into")
class VelocityInPlace(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        velocity *= self.momentum
        velocity -= rate * (grad + decay * weight)
        return weight + velocity, velocity


@HERE.mistake("float32 became float64")
class Float64Creep(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = np.zeros(weight.shape) + self.momentum * velocity - rate * (grad + decay * weight)
        return weight + new, new


@HERE.mistake(None)
class AThousandth(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = 1.001 * (self.momentum * velocity - rate * (grad + decay * weight))
        return weight + new, new


@HERE.mistake("it should be the one that is handed in")
class PapersDecayAlways(SGD):
    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - rate * (grad + 0.0005 * weight)
        return weight + new, new


@HERE.mistake(None)
class FirstNumberOnly(SGD):
    """The mean of the gradient instead of each number's own."""

    def _moved(self, weight, velocity, grad, rate, decay):
        new = self.momentum * velocity - rate * (grad.mean() + decay * weight)
        return weight + new, new
