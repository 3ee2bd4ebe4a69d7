"""What depends on no MPI: shares, chance, the flat buffer, who started us."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tiny

from minialexnet import backend, strict
from minialexnet.chance import Columns, Rows, generator, skip
from minialexnet.data import Feed, share_of
from minialexnet.errors import InputError
from minialexnet.optim import constant, linear, warmed
from minialexnet.processor import launched
from minialexnet.ranks import Alone, demand_alike
from minialexnet.ranks.gradients import Flat
from minialexnet.ranks.launch import over_ranks
from minialexnet.recipe import Recipe


@pytest.mark.parametrize(("count", "size"), [(8, 2), (10, 4), (7, 3), (3, 5), (1, 4), (128, 7)])
def test_shares_are_disjoint_equal_and_all(count, size):
    shares = [share_of(count, rank, size) for rank in range(size)]
    assert [n for s in shares for n in range(s.first, s.last)] == list(range(count))
    assert max(s.images for s in shares) - min(s.images for s in shares) <= 1
    assert sum(s.weight for s in shares) == pytest.approx(1)


@pytest.mark.parametrize(("count", "size"), [(3, 5), (1, 4)])
def test_who_has_no_image_goes_through_the_motions_on_one(count, size):
    for rank in range(size):
        share = share_of(count, rank, size)
        rows = np.arange(count)[share.rows]
        assert len(rows) == 1
        assert share.weight in (0, 1 / count)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("crop", [0, 24])
def test_a_batch_is_shared_out_with_the_views_of_the_whole(size, crop):
    data = tiny.dataset(train=23)
    recipe = Recipe(batch=6, crop=crop, flip=True, colour=0.1)
    see, look = recipe.seen(data.mean, backend.device("cpu")), recipe.looks(data, 3)
    order = generator("order", 0, 3).permutation(23)
    whole = list(Feed(data.train, order, 6, look, see))
    feeds = [
        Feed(data.train, order, 6, look, see, share=lambda n, r=r: share_of(n, r, size))
        for r in range(size)
    ]
    for (x, labels), *parts in zip(whole, *feeds, strict=True):
        counted = [
            (p[0][: f.share_now.images], p[1][: f.share_now.images])
            for p, f in zip(parts, feeds, strict=True)
        ]
        assert np.concatenate([one for one, _ in counted]).tobytes() == x.tobytes()
        assert np.concatenate([one for _, one in counted]).tolist() == labels.tolist()


# ---------------------------------------------------------------- chance


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 1000])
def test_numbers_that_are_skipped_are_those_that_would_have_been_drawn(dtype, before, count):
    one, two = np.random.default_rng(5), np.random.default_rng(5)
    for rng in (one, two):
        rng.random(before, np.float32)
    one.random(count, dtype)
    skip(two, count, dtype)
    assert one.random(9, np.float32).tobytes() == two.random(9, np.float32).tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [2, 3, 4, 11])
def test_images_draw_what_they_would_draw_within_the_whole_batch(dtype, size):
    whole = np.random.default_rng(1)
    expected = [whole.random((7, 5, 3), dtype), whole.random((7, 9), dtype)]
    for rank in range(size):
        share = share_of(7, rank, size)
        rng = share.chance(np.random.default_rng(1))
        count = share.rows.stop - share.rows.start
        drawn = [rng.random((count, 5, 3), dtype), rng.random((count, 9), dtype)]
        for mine, all_of_them in zip(drawn, expected, strict=True):
            assert mine.tobytes() == all_of_them[share.rows].tobytes()


def test_features_draw_what_they_would_draw_within_the_whole():
    expected = np.random.default_rng(1).random((6, 10), np.float32)
    mine = Columns(np.random.default_rng(1), 4, 10, 10).random((6, 6), np.float32)
    assert mine.tobytes() == expected[:, 4:].tobytes()
    both = Columns(Rows(np.random.default_rng(1), 2, 5, 6), 0, 4, 10).random((3, 4), np.float32)
    assert both.tobytes() == expected[2:5, :4].tobytes()


def test_the_only_rank_draws_from_the_generator_itself():
    rng = np.random.default_rng(0)
    assert share_of(8, 0, 1).chance(rng) is rng


def test_what_would_depend_on_the_number_of_ranks_is_refused():
    rng = Rows(np.random.default_rng(0), 0, 2, 4)
    with pytest.raises(InputError, match=r"rng\.normal: .* cannot share a batch"):
        rng.normal(size=(2, 3))
    with pytest.raises(InputError, match=r"rng\.random: .* --engine plain"):
        rng.spawn(2)[0].random((1, 3))
    with pytest.raises(InputError, match="expected numbers for 2 images, got the shape"):
        rng.random((3, 3))


# ---------------------------------------------------------------- gradients, rates


def test_the_flat_buffer_holds_every_gradient_times_its_weight():
    rng = np.random.default_rng(0)
    grads = {
        name: rng.normal(size=s).astype(np.float32) for name, s in {"a": (3, 4), "b": 5}.items()
    }
    flat = Flat(grads)
    flat.put(grads, 0.25)
    assert flat.buffer.shape == (17,)
    assert flat.buffer.dtype == np.float32
    assert tiny.same(flat.grads, {name: grad * np.float32(0.25) for name, grad in grads.items()})
    assert all(np.shares_memory(grad, flat.buffer) for grad in flat.grads.values())


def test_the_flat_buffer_lives_where_the_gradients_do():
    grads = {"a": strict.asarray(np.ones((2, 3), np.float32)), "b": strict.asarray(np.ones(2))}
    flat = Flat(grads)
    flat.put(grads, 0.5)
    assert strict.asnumpy(flat.grads["a"]).tolist() == [[0.5] * 3] * 2


def test_a_warm_up_rises_in_a_straight_line_to_the_schedule():
    rate = warmed(constant(0.5), 4)
    assert [rate(epoch, []) for epoch in (0, 2, 4, 9)] == pytest.approx([0.005, 0.2525, 0.5, 0.5])
    falling = linear(1.0, 10)
    assert warmed(falling, 4)(6, []) == falling(6, [])
    assert warmed(falling, 0)(0, []) == falling(0, [])


def test_by_default_there_is_no_warm_up():
    assert Recipe(schedule="constant", rate=0.1).learning_rate()(0.0, []) == 0.1


# ---------------------------------------------------------------- who started us


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, (0, 1)),
        ({"PMI_RANK": "3", "PMI_SIZE": "4"}, (3, 4)),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"}, (1, 2)),
        ({"SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8"}, (5, 8)),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "8"}, (0, 1)),  # a batch script by itself
        ({"PMI_RANK": "x", "PMI_SIZE": "4"}, (0, 1)),
    ],
)
def test_launchers_say_how_many_there_are(environment, found):
    assert launched(environment) == found


@pytest.mark.parametrize(("count", "names"), [(4, "0 1 2 3"), (1, "0 0 0 0"), (2, "0 1 0 1")])
def test_the_local_rank_picks_the_gpu(count, names, monkeypatch):
    runtime = SimpleNamespace(getDeviceCount=lambda: count)
    cupy = SimpleNamespace(cuda=SimpleNamespace(runtime=runtime))
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(backend, "device", lambda name: None)
    assert [backend.gpu_of(rank) for rank in range(4)] == [f"cuda:{n}" for n in names.split()]


def test_one_process_needs_no_mpi(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert over_ranks(lambda ranks: ranks.size) == 1


@pytest.mark.parametrize(("rank", "said"), [(0, 1), (1, 0)])
def test_several_processes_without_mpi4py_are_refused_in_one_line(
    rank, said, monkeypatch, capsys, tmp_path
):
    from minialexnet.__main__ import main

    monkeypatch.setitem(sys.modules, "mpi4py", None)
    monkeypatch.setattr("minialexnet.processor.launched", lambda: (rank, 2))
    assert main(["train", "--out", str(tmp_path / "run")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == said
    assert all("without mpi4py each would train by itself: pip install mpi4py" in x for x in lines)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("rank", "said"), [(0, 1), (1, 0)])
def test_what_one_process_does_is_not_done_by_several(rank, said, monkeypatch, capsys):
    from minialexnet.__main__ import main

    monkeypatch.setattr("minialexnet.processor.launched", lambda: (rank, 2))
    assert main(["recipes"]) == 2
    out, errors = capsys.readouterr()
    assert out == ""
    assert len(errors.splitlines()) == said


def test_alone_all_answers_are_its_own():
    ranks, grads = Alone(), {"a": np.ones(2)}
    assert ranks.mean(grads, 1.0) is grads
    assert ranks.total(2, 3.5) == (2, 3.5)
    assert ranks.any(True, False) == (True, False)
    assert ranks.each("a") == ["a"]
    assert ranks.given("a") == "a"
    assert ranks.together(lambda: 5) == 5
    assert ranks.sent == {}
    demand_alike(ranks, grads, None)
