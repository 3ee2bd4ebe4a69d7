"""The exercise on the loss."""

import math

import numpy as np

from minialexnet import strict
from minialexnet.exercise.base import Check, Exercise, Failed
from minialexnet.exercise.compare import CLOSE, close, same
from minialexnet.exercise.probe import demand_dtype, unwritten
from minialexnet.exercise.source import Source
from minialexnet.exercise.training import compare_losses

AXES = ("N", "M")


def naive(scores, labels):
    """Image by image and class by class."""
    count, classes = scores.shape
    loss, dscores = 0.0, np.zeros(scores.shape)
    for n in range(count):
        largest = max(scores[n])
        total = sum(math.exp(scores[n, m] - largest) for m in range(classes))
        loss += (math.log(total) + largest - scores[n, labels[n]]) / count
        for m in range(classes):
            probability = math.exp(scores[n, m] - largest) / total
            dscores[n, m] = (probability - (m == labels[n])) / count
    return loss, dscores


def _cases(rng):
    """Wide and high batches, one with equal scores, and one as high as it is wide."""
    for shape in rng.permutation([(2, 5), (6, 3), (4, 4)]).tolist():
        yield 2 * rng.standard_normal(shape), rng.integers(shape[1], size=shape[0])


def _tried(candidate, scores, labels):
    result = candidate(scores, labels)
    if not (isinstance(result, tuple) and len(result) == 2):
        raise Failed(f"(loss, dscores) should be returned, got {type(result).__name__}")
    return result


def _parts(scores, labels):
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    right = probabilities[np.arange(len(labels)), labels]
    return probabilities, right, np.eye(scores.shape[1])[labels]


def _loss_slips(scores, labels):
    probabilities, right, _ = _parts(scores, labels)
    n, classes = scores.shape
    yield -np.log(right).sum(), "the loss was not divided by N: it is a mean over the images"
    yield np.log(right).mean(), "the sign: the loss is MINUS the logarithm"
    yield -np.log2(right).mean(), "log2 gives bits; the natural logarithm is asked for (nats)"
    yield -np.log10(right).mean(), "log10 is not the natural logarithm"
    yield -right.mean(), "the logarithm is forgotten"
    yield -np.log(right.mean()), "the mean of the logarithms, not the logarithm of the mean"
    yield -np.log(right).mean() / classes, "divided by the number of classes too: by N only"
    yield -np.log(right).sum() / classes, "divided by the number of classes instead of N"
    yield -np.log(probabilities).mean(), "only the probability of the right class counts"
    yield -scores[np.arange(n), labels].mean(), "the softmax is forgotten: ln sum exp is missing"
    yield -np.log(right[0]), "only the first image counts: a mean over all is asked for"
    yield (-np.log(right)).max(), "the largest loss instead of the mean"
    yield -np.log(right + 1e-3).mean(), "something was added inside the logarithm"
    over = np.exp(scores - scores.max(axis=0))
    over = (over / over.sum(axis=0))[np.arange(n), labels]
    yield -np.log(over).mean(), "the softmax was taken over the images: axis 1 holds the classes"
    flat = np.exp(scores - scores.max())
    whole = (flat / flat.sum())[np.arange(n), labels]
    yield -np.log(whole).mean(), "the sum of exp runs over each row, not over the whole matrix"


def _gradient_slips(scores, labels):
    p, _, hot = _parts(scores, labels)
    n, classes = scores.shape
    yield p - hot, "the gradient was not divided by N, as the mean in the loss demands"
    yield (hot - p) / n, "your dscores has the wrong sign"
    yield p / n, "the 1 was not subtracted at the right class"
    yield p, "the 1 was not subtracted at the right class, nor was it divided by N"
    yield -hot / n, "the probabilities are missing"
    yield (p - hot) / classes, "divided by the number of classes instead of N"
    yield (p - hot) / n / classes, "divided by the number of classes too: by N only"
    yield p - hot / n, "the probabilities were not divided by N"
    yield p / n - hot, "the 1 was subtracted after the division by N"
    yield (p - hot) * p / n, "multiplied by the probabilities once too often"
    yield p * (1 - p) / n, "this is the slope of a sigmoid"
    yield -hot / p / n, "this is the gradient in the probabilities, not in the scores"
    yield p, "this is the softmax itself"


def _against(candidate, rng, loss=True, gradient=True):
    for scores, labels in _cases(rng):
        _compare(candidate, scores, labels, loss, gradient)


def _compare(candidate, scores, labels, loss=True, gradient=True):
    value, dscores = _tried(candidate, scores.copy(), labels.copy())
    right, dright = naive(scores, labels)
    where = f"scores {scores.shape}, labels {labels.tolist()}"
    if loss:
        slips = _loss_slips(scores, labels)
        same("loss", value, np.array(right), slips=slips, where=where)
    if gradient:
        slips = _gradient_slips(scores, labels)
        same("dscores", dscores, dright, slips=slips, axes=AXES, where=where)


def _shapes(candidate, rng):
    for scores, labels in _cases(rng):
        loss, dscores = _tried(candidate, scores, labels)
        if np.shape(loss) != () or np.shape(dscores) != scores.shape:
            _compare(candidate, scores, labels)


def _by_hand(candidate, rng):
    # Equal scores: every class has probability 1/2, whatever the scores are.
    loss, dscores = _tried(candidate, np.array([[3.0, 3.0], [-1.0, -1.0]]), np.array([0, 1]))
    same("loss", loss, np.array(math.log(2)), where="equal scores in two classes: ln 2")
    same("dscores", dscores, np.array([[-0.25, 0.25], [0.25, -0.25]]), where="by hand", axes=AXES)
    # exp(ln 3) = 3 against 1: probabilities 3/4 and 1/4.
    loss, dscores = _tried(candidate, np.array([[math.log(3), 0.0]]), np.array([1]))
    same("loss", loss, np.array(math.log(4)), where="probabilities 3/4 and 1/4: ln 4")
    same("dscores", dscores, np.array([[0.75, -0.75]]), where="by hand", axes=AXES)


def _large(candidate, rng):
    scores = np.array([[1000.0, 0.0, -1000.0], [-2000.0, -2001.0, -2000.0]])
    for labels in (np.array([0, 2]), np.array([1, 1])):
        loss, dscores = _tried(candidate, scores.copy(), labels)
        right, dright = naive(scores, labels)
        if np.isnan(loss) or not np.isfinite(dscores).all():
            raise Failed(
                f"loss is {loss}, expected {right} (scores of 1000)",
                "exp overflows: subtract the largest score of each row first",
            )
        if np.isinf(loss):
            raise Failed(
                f"loss is {loss}, expected {right} (scores of 1000)",
                "the logarithm of a probability that is 0: ln of the sum minus the score instead",
            )
        same("loss", loss, np.array(right), where="scores of 1000 and more")
        same("dscores", dscores, dright, where="scores of 1000 and more", axes=AXES)


def _dtype(candidate, rng):
    for dtype in ("float32", "float64"):
        for scores, labels in _cases(rng):
            loss, dscores = _tried(candidate, scores.astype(dtype), labels)
            where = f"scores {scores.shape}"
            demand_dtype("dscores", dscores, dtype, where, given="scores")
            if isinstance(loss, np.generic | np.ndarray):
                demand_dtype("loss", loss, dtype, where, given="scores")


def _untouched(candidate, rng):
    for scores, labels in _cases(rng):
        before = scores.copy(), labels.copy()
        _tried(candidate, scores, labels)
        unwritten("scores", scores, before[0], "your function")
        unwritten("labels", labels, before[1], "your function")


def _trains(candidate, rng):
    compare_losses(int(rng.integers(2**31)), loss=candidate)


def _accelerated(candidate, rng):
    for scores, labels in _cases(rng):
        there = strict.asarray(scores), strict.asarray(labels)
        found = dict(zip(("loss", "dscores"), _tried(candidate, *there), strict=True))
        for (name, got), right in zip(found.items(), naive(scores, labels), strict=True):
            if not close(strict.asnumpy(got), np.asarray(right), CLOSE["float32"]):
                raise Failed(f"{name} on an accelerator is not what it is on NumPy")


EXERCISE = Exercise(
    name="softmax_loss",
    title="The loss: cross-entropy of a softmax",
    provides="softmax_cross_entropy",
    minutes=40,
    task="""
Write the function that says how wrong the network is, and in which direction its scores should
move: the mean over the images of minus the logarithm of the probability given to the right class,
and the gradient of that mean in the scores. Scores may be large: 1000 must not overflow.
""",
    source=Source("minialexnet.loss", "softmax_cross_entropy"),
    definition=naive,
    hints=(
        "Begin with one image: probabilities are exp(score) over the sum of exp(scores). What "
        "changes in them if the same number is subtracted from all scores of an image?",
        "Subtract each row's largest score (axis=1, keepdims=True). The loss of an image is ln of "
        "the sum of the exponentials, minus the (shifted) score of its label. "
        "rows = xp.arange(N) and scores[rows, labels] picks one score a row.",
        "dscores = exponentials / total; subtract 1 at [rows, labels]; divide by N, because the "
        "loss is a mean. Work on new arrays: scores stays as it is.",
    ),
    checks=(
        Check("shapes", 1, _shapes),
        Check("by hand", 1, _by_hand),
        Check("loss against the naive loop", 2, lambda c, r: _against(c, r, gradient=False)),
        Check("gradients", 3, lambda c, r: _against(c, r, loss=False)),
        Check("large scores", 1, _large),
        Check("dtype kept", 1, _dtype),
        Check("input untouched", 1, _untouched),
        Check("trains the network", 1, _trains),
        Check("on an accelerator", 0, _accelerated),
    ),
)
