"""The loss: cross-entropy of a softmax.

Write the function that says how wrong the network is, and in which direction its scores should
move: the mean over the images of minus the logarithm of the probability given to the right class,
and the gradient of that mean in the scores. Scores may be large: 1000 must not overflow.

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("softmax_loss", softmax_cross_entropy)
    exercise.hint("softmax_loss")
"""

from minialexnet.backend import namespace


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
    # YOUR CODE HERE
    raise NotImplementedError()
