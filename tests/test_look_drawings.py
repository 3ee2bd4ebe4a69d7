"""The drawings of the lessons: what they show, and that they need no white page."""

import io

import numpy as np
import pytest
from PIL import Image

from minialexnet import look, networks
from minialexnet.windows import windows


def drawn(figure):
    """The picture, (H, W, 4)."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=60)
    return np.asarray(Image.open(file))


def words(axes):
    return [text.get_text() for text in axes.texts]


X = np.arange(20).reshape(4, 5)
ROWS = [
    {"setting": name, "test_error": error, "train_error": error / 2}
    for name, errors in (("a", (0.3, 0.32, 0.34)), ("b", (0.2,)))
    for error in errors
]
FIGURES = {
    "unrolling": lambda: look.unrolling(X, 3, step=2),
    "towers": lambda: look.towers(networks.mini(np.random.default_rng(0)), (32, 32, 3)),
    "graph": lambda: look.graph({"x": "$x$", "y": "+"}, [("x", "y")], {"x": 2}, {"x": 1}),
    "feature_maps": lambda: look.feature_maps(np.zeros((4, 4, 9))),
    "pictures": lambda: look.pictures(np.zeros((3, 4, 4, 3)), ["a", "b", "c"], columns=2),
    "channels": lambda: look.channels(np.arange(24, dtype=np.uint8).reshape(2, 4, 3)),
    "filters": lambda: look.filters(np.ones((4, 4, 3, 2)), names=["a", "b"]),
    "confusion": lambda: look.confusion(np.eye(3, dtype=int), ["a", "b", "c"]),
    "scales": lambda: look.scales({"a": {"conv1": 1.0, "fc2": 0.1}}),
    "histograms": lambda: look.histograms({"conv1": np.arange(9.0), "fc2": np.ones(3)}),
    "bars": lambda: look.bars({"a": 1.0, "b": 100.0}, "images/s", log=True),
    "experiment": lambda: look.experiment(ROWS, ("test_error", "train_error"), "what"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_drawings_stand_on_nothing(name):
    picture = drawn(FIGURES[name]())
    assert (picture[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all()
    assert picture[..., 3].max() > 200


def test_the_matrix_grows_row_by_row():
    for step in (0, 2, 5):
        left, right = look.unrolling(X, 3, step=step).axes
        wanted = windows(X[None, :, :, None], 3, 1).reshape(6, 9)[: step + 1]
        assert words(right) == [f"{number}" for number in wanted.ravel()]
        assert words(left) == [f"{number}" for number in X.ravel()]


def test_the_window_stands_where_its_row_comes_from():
    left, _ = look.unrolling(X, 2, stride=2, step=3).axes
    ring = left.patches[-1]
    assert (ring.get_x(), ring.get_y(), ring.get_width()) == (2, 2, 2)


def test_padding_is_drawn_as_a_frame_of_zeros():
    left, right = look.unrolling(X + 1, 3, pad=1).axes
    assert words(left)[:8] == ["0"] * 8 and len(words(left)) == 6 * 7
    assert len(words(right)) == 4 * 5 * 9


def test_towers_meet_where_no_parallel_layer_reads():
    axes = look.towers(networks.mini(np.random.default_rng(0)), (32, 32, 3)).axes[0]
    said = words(axes)
    assert said.count("conv2") == said.count("fc7") == 2
    assert said.count("fc8") == said.count("picture") == 1
    # 2 into conv1; 4 each into conv3, fc6 and fc7; 2 each into conv2, conv4, conv5 and fc8.
    assert len([text for text in axes.texts if text.get_text() == ""]) == 2 + 3 * 4 + 4 * 2


def test_one_tower_is_one_row():
    axes = look.towers(networks.cifar_80sec(np.random.default_rng(0)), (32, 32, 3)).axes[0]
    assert words(axes).count("conv2") == 1


def test_a_node_stands_to_the_right_of_what_it_reads():
    nodes = dict.fromkeys("xwbmp", "?")
    edges = [("x", "m"), ("w", "m"), ("m", "p"), ("b", "p")]
    axes = look.graph(nodes, edges).axes[0]
    columns = [text.get_position()[0] for text in axes.texts if text.get_text() == "?"]
    assert columns == [0, 0, 1, 1, 2]


def test_the_spread_is_over_the_seeds():
    found = look.spread(ROWS, "test_error")
    assert found["a"] == pytest.approx((0.32, 0.02, 3))
    assert found["b"] == (0.2, 0, 1)


def test_an_experiment_shows_every_training():
    axes = look.experiment(ROWS, ("test_error",)).axes[0]
    assert sorted(axes.lines[0].get_ydata()) == pytest.approx([20, 30, 32, 34])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b"]


def test_neighbours_stand_beside_their_picture():
    queries = np.zeros((2, 4, 4, 3), np.uint8)
    found = np.arange(2 * 3, dtype=np.uint8).reshape(2, 3, 1, 1, 1) + np.zeros((4, 4, 3), np.uint8)
    shown = [
        int(axes.images[0].get_array()[0, 0, 0])
        for axes in look.neighbours(queries, found).axes
        if axes.images
    ]
    assert shown == [0, 0, 1, 2, 0, 3, 4, 5]


def test_every_number_of_a_small_picture_is_written_in_its_channel():
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    _, *planes = look.channels(image).axes
    for c, axes in enumerate(planes):
        assert words(axes) == [str(number) for number in image[..., c].ravel()]
        shown = axes.images[0].get_array()
        assert (shown[..., c] == image[..., c]).all() and shown.sum() == image[..., c].sum()


def test_pictures_of_different_sizes_stand_below_their_names():
    figure = look.pictures([np.zeros((4, 4, 3)), np.ones((2, 6, 3))], ["dark", "bright"])
    assert [axes.get_title() for axes in figure.axes] == ["dark", "bright"]
    assert [axes.images[0].get_array().shape[:2] for axes in figure.axes] == [(4, 4), (2, 6)]


def test_templates_stand_below_their_names():
    weight = np.random.default_rng(0).normal(size=(4, 4, 3, 7))
    axes = look.filters(weight, names=list("abcdefg")).axes
    assert "".join(one.get_title() for one in axes) == "abcdefg"


def test_a_row_of_the_confusion_is_a_class_and_its_errors_have_the_colours():
    axes = look.confusion(
        [[90, 10, 0], [4, 0, 196], [0, 0, 0]], ["ring", "n01440764 tench, x", "c"]
    ).axes[0]
    assert {tuple(map(int, text.get_position()[::-1])): text.get_text() for text in axes.texts} == {
        (0, 0): "90",
        (0, 1): "10",
        (1, 0): "2",
        (1, 2): "98",
    }
    assert axes.images[0].get_array().tolist() == [[0, 10, 0], [2, 0, 98], [0, 0, 0]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ring", "tench", "c"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["ring", "tench", "c"]
