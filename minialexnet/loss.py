"""The loss that AlexNet minimises: the cross-entropy of a softmax."""

from minialexnet.backend import namespace


def softmax(scores):
    """Probabilities from scores: exp(scores) divided by its sum over the classes.

    Parameters
    ----------
    scores : (N, M)

    Returns
    -------
    (N, M), shares of 1, each row summing to 1
    """
    xp = namespace(scores)
    # The largest score is subtracted first: the result is the same, and exp cannot overflow.
    exponentials = xp.exp(scores - scores.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def softmax_cross_entropy(scores, labels):
    """The mean of -ln(probability of the right class), and its gradient.

    loss = mean over n of (ln sum_m exp scores[n, m]) - scores[n, label_n]
    dscores = (softmax(scores) - one_hot(labels)) / N

    Parameters
    ----------
    scores : (N, M)
    labels : (N,) integers 0 ... M-1. Their range is checked on the host where data are read: a
        GPU wraps an index that is out of range instead of failing.

    Returns
    -------
    loss : scalar of the scores' dtype, nats
    dscores : (N, M)

    Raises
    ------
    ValueError
        If scores are no matrix, or there is not one label for each of their rows.
    """
    xp = namespace(scores, labels)
    if scores.ndim != 2 or labels.shape != scores.shape[:1]:
        raise ValueError(
            f"expected scores (N, M) and labels (N,), got {scores.shape} and {labels.shape}"
        )
    rows = xp.arange(len(labels))
    shifted = scores - scores.max(axis=1, keepdims=True)
    exponentials = xp.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)
    loss = (xp.log(total[:, 0]) - shifted[rows, labels]).mean()
    dscores = exponentials / total
    dscores[rows, labels] -= 1
    return loss, dscores / len(labels)
