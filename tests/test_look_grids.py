"""Tables of numbers, and a matrix that is folded back into a picture."""

import io

import numpy as np
import pytest
from PIL import Image

from minialexnet import look
from minialexnet.windows import windows

DX = np.arange(2 * 2 * 3 * 3).reshape(2, 2, 3, 3)
FIGURES = {
    "grids": lambda: look.grids({"a": np.eye(3), "b": np.ones((1, 4))}),
    "folding": lambda: look.folding(DX, (5, 5), stride=2),
}


def words(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("name", FIGURES)
def test_drawings_stand_on_nothing(name):
    file = io.BytesIO()
    FIGURES[name]().savefig(file, format="png", dpi=60)
    picture = np.asarray(Image.open(file))
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all()
    assert picture[..., 3].max() > 200


def test_a_table_shows_its_numbers_and_leaves_out_what_is_not_there():
    first, second = look.grids({"a": [[1.0, np.nan], [2.5, -3.0]], "b": [[7]]}).axes
    assert (words(first), first.get_title(loc="left")) == (["1", "2.5", "-3"], "a")
    assert (words(second), second.get_title(loc="left")) == (["7"], "b")


def test_equal_numbers_have_equal_colours_in_all_tables():
    first, second = look.grids({"a": [[0, 5]], "b": [[5, 9]]}).axes
    assert first.patches[1].get_facecolor() == second.patches[0].get_facecolor()
    assert first.patches[0].get_facecolor() != first.patches[1].get_facecolor()


def test_a_table_of_one_number_only_can_be_drawn():
    assert words(look.grids({"a": np.ones((2, 2))}).axes[0]) == ["1"] * 4


def test_a_ring_stands_around_its_cells():
    first, second = look.grids({"a": np.eye(4), "b": np.eye(2)}, {"a": (1, 2, 3, 2)}).axes
    ring = first.patches[-1]
    assert ring.get_bbox().bounds == (2, 1, 2, 3)
    assert len(second.patches) == 4


@pytest.mark.parametrize("step", [0, 1, 3])
def test_a_row_is_added_where_its_window_was(step):
    left, right = look.folding(DX, (5, 6), stride=2, step=step).axes
    wanted = np.zeros((5, 6), int)
    for i, j in ((0, 0), (0, 2), (2, 0), (2, 2))[: step + 1]:
        wanted[i : i + 3, j : j + 3] += DX[i // 2, j // 2]
    assert words(right) == [f"{number}" for number in wanted.ravel()]
    assert words(left) == [f"{number}" for number in DX.ravel()]
    assert right.patches[-1].get_bbox().bounds == (2 * (step % 2), 2 * (step // 2), 3, 3)
    assert left.patches[-1].get_bbox().bounds == (0, step, 9, 1)


def test_folding_is_the_transpose_of_unrolling():
    x = np.arange(20).reshape(4, 5)
    view = windows(x[None, :, :, None], 3, 1)[0, ..., 0]
    total = np.array(words(look.folding(view, (4, 5)).axes[1]), float)
    seen = np.outer([1, 2, 2, 1], [1, 2, 3, 2, 1])
    assert (total == (seen * x).ravel()).all()
