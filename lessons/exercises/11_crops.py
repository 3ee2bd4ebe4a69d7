"""Crops and flips.

Write the function that cuts parts out of pictures and mirrors some of them (paper, section 4.1):
more pictures to learn from than there are. Part n is of the picture `images[which[n]]`, begins at
row `views.tops[n]` and column `views.lefts[n]`, has `size` rows and columns, and is then mirrored,
left to right, if `views.mirrored[n]`. Where pictures begin and which are mirrored has been drawn
already. With size=0 whole pictures are seen, whatever tops and lefts say; they may be mirrored
too. The result is a new array of the images' dtype.

Nothing that is handed in is written into; results are new arrays of the dtype of what
came in (float32 in, float32 out). Array functions of `xp = namespace(x)` run on a GPU too; `np`
does not, which costs no marks.

    from minialexnet import exercise
    exercise.check("crops", parts)
    exercise.hint("crops")
"""

import numpy as np

from minialexnet.backend import namespace
from minialexnet.data.augment import Views
from minialexnet.windows import windows


def parts(images, which: np.ndarray, views: Views, size: int = 0):
    """What is seen of some pictures, apart from the colours.

    Part n is of the picture which[n]. It begins at row views.tops[n] and column views.lefts[n], and
    is mirrored, left to right, after it has been cut, if views.mirrored[n].

    Parameters
    ----------
    images : (N, H, W, 3), possibly memory-mapped: only the parts are read
    which : (n,) integers, on the host: the pictures
    views : n of them
    size : side of a part, pixels; 0 for whole pictures

    Returns
    -------
    (n, size, size, 3), new, on the device where the pictures are
    """
    # YOUR CODE HERE
    raise NotImplementedError()
