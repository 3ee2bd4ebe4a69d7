"""Answers to the exercise on the loss."""

import numpy as np

from exercise_submissions import Submissions
from minialexnet.loss import softmax, softmax_cross_entropy

HERE = Submissions()


def _probabilities(scores):
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def _hot(scores, labels):
    return np.eye(scores.shape[1], dtype=scores.dtype)[labels]


@HERE.correct
def loops(scores, labels):
    loss, dscores = 0, np.zeros_like(scores)
    for n in range(len(labels)):
        row = np.exp(scores[n] - max(scores[n]))
        p = row / sum(row)
        # The logarithm of the sum, for the probability itself may be 0.
        loss += np.log(sum(row)) - (scores[n, labels[n]] - max(scores[n]))
        dscores[n] = p
        dscores[n, labels[n]] -= 1
    return loss / len(labels), dscores / len(labels)


@HERE.correct
def one_hot(scores, labels):
    hot = np.zeros(scores.shape, bool)
    hot[np.arange(len(labels)), labels] = True
    largest = scores.max(1)
    logarithm = largest + np.log(np.exp(scores - largest[:, None]).sum(1))
    loss = (logarithm - scores[hot]).mean()
    return loss, (np.exp(scores - logarithm[:, None]) - hot) / scores.dtype.type(len(labels))


@HERE.correct
def log_sum_exp(scores, labels):
    """By NumPy's own log(exp + exp), pair by pair."""
    total = np.logaddexp.reduce(scores, axis=1)
    picked = np.take_along_axis(scores, labels[:, None], axis=1)[:, 0]
    return np.mean(total - picked), (softmax(scores) - _hot(scores, labels)) / len(labels)


@HERE.correct
def einsum(scores, labels):
    hot = _hot(scores, labels)
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.einsum("nm->n", np.exp(shifted)))[:, None]
    return -np.einsum("nm,nm->", hot, logs) / len(labels), (np.exp(logs) - hot) / len(labels)


@HERE.mistake("not divided by N")
def sum_of_losses(scores, labels):
    loss, dscores = softmax_cross_entropy(scores, labels)
    return loss * len(labels), dscores


@HERE.mistake("the gradient was not divided by N")
def gradient_not_divided(scores, labels):
    loss, dscores = softmax_cross_entropy(scores, labels)
    return loss, dscores * len(labels)


@HERE.mistake("subtract the largest score of each row first")
def overflows(scores, labels):
    exponentials = np.exp(scores)
    p = exponentials / exponentials.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(len(labels)), labels]).mean()
    return loss, (p - _hot(scores, labels)) / len(labels)


@HERE.mistake("logarithm of a probability that is 0")
def logarithm_of_zero(scores, labels):
    p = _probabilities(scores)
    loss = -np.log(p[np.arange(len(labels)), labels]).mean()
    return loss, (p - _hot(scores, labels)) / len(labels)


@HERE.mistake("wrong sign")
def wrong_sign_of_gradient(scores, labels):
    loss, dscores = softmax_cross_entropy(scores, labels)
    return loss, -dscores


@HERE.mistake("MINUS")
def wrong_sign_of_loss(scores, labels):
    loss, dscores = softmax_cross_entropy(scores, labels)
    return -loss, dscores


@HERE.mistake("1 was not subtracted")
def one_not_subtracted(scores, labels):
    loss, _ = softmax_cross_entropy(scores, labels)
    return loss, softmax(scores) / len(labels)


@HERE.mistake("after the division")
def one_subtracted_too_late(scores, labels):
    loss, _ = softmax_cross_entropy(scores, labels)
    return loss, softmax(scores) / len(labels) - _hot(scores, labels)


@HERE.mistake("over the images")
def softmax_over_the_images(scores, labels):
    _, dscores = softmax_cross_entropy(scores, labels)
    p = softmax(scores.T).T
    return -np.log(p[np.arange(len(labels)), labels]).mean(), dscores


@HERE.mistake("divided by the number of classes instead of N")
def divided_by_classes(scores, labels):
    loss, dscores = softmax_cross_entropy(scores, labels)
    return loss, dscores * len(labels) / scores.shape[1]


@HERE.mistake("twice as large")
def doubled_gradient(scores, labels):
    loss, dscores = softmax_cross_entropy(scores, labels)
    return loss, 2 * dscores


@HERE.mistake("log2")
def in_bits(scores, labels):
    loss, dscores = softmax_cross_entropy(scores, labels)
    return loss / np.log(loss.dtype.type(2)), dscores


@HERE.mistake("only the first image")
def first_image_only(scores, labels):
    return softmax_cross_entropy(scores[:1], labels[:1])[0], softmax_cross_entropy(scores, labels)[
        1
    ]


@HERE.mistake("scores was written into")
def in_place(scores, labels):
    scores -= scores.max(axis=1, keepdims=True)
    return softmax_cross_entropy(scores, labels)


@HERE.mistake("float32 became float64")
def float64_creep(scores, labels):
    loss, dscores = softmax_cross_entropy(scores, labels)
    return loss, dscores * np.ones(scores.shape)


@HERE.mistake("something was added inside the logarithm")
def logarithm_with_a_cushion(scores, labels):
    p = _probabilities(scores)[np.arange(len(labels)), labels]
    return -np.log(p + p.dtype.type(1e-3)).mean(), softmax_cross_entropy(scores, labels)[1]


@HERE.mistake("0.1 %")
def a_thousandth(scores, labels):
    loss, dscores = softmax_cross_entropy(scores, labels)
    return loss, dscores * dscores.dtype.type(1.001)


@HERE.mistake("should be returned")
def loss_alone(scores, labels):
    return softmax_cross_entropy(scores, labels)[0]


@HERE.mistake(None)
def mean_over_everything(scores, labels):
    loss, dscores = softmax_cross_entropy(scores, labels)
    return loss, dscores - dscores.mean(axis=0)
