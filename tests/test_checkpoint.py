"""A run on disk comes back bit for bit, or is refused in one line."""

import json
import pickle
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tiny

from minialexnet import checkpoint
from minialexnet.backend import device
from minialexnet.checkpoint import Checkpoint
from minialexnet.errors import InputError


def example():
    rng = np.random.default_rng(0)
    shapes = {"conv1.weight": (3, 3, 3, 2), "conv1.bias": (2,), "fc2.a.weight": (5, 3)}
    draw = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    draw["conv1.bias"][:] = np.nan, -0.0
    return Checkpoint(
        params=draw,
        velocity={name: rng.normal(size=shape) for name, shape in shapes.items()},
        mean=rng.random((2, 2, 3), np.float32),
        about={"recipe": {"rate": 0.1}, "progress": {"loss": 1 / 3}, "data": {"classes": ["ä"]}},
    )


def equal(one, other):
    told = one.about.keys() & other.about.keys()
    return (
        tiny.same(one.params, other.params)
        and tiny.same(one.velocity, other.velocity)
        and tiny.same({"mean": one.mean}, {"mean": other.mean})
        and {key: one.about[key] for key in told} == {key: other.about[key] for key in told}
        and {"recipe", "progress", "data"} <= told
    )


@pytest.fixture
def path(tmp_path):
    checkpoint.save(tmp_path / "checkpoint.npz", example())
    return tmp_path / "checkpoint.npz"


def refusal(path):
    with pytest.raises(InputError) as caught:
        checkpoint.load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_it_comes_back_bit_for_bit(path):
    assert equal(checkpoint.load(path), example())


def test_saving_twice_gives_the_same_arrays_and_no_other_file(path):
    checkpoint.save(path, checkpoint.load(path))
    assert equal(checkpoint.load(path), example())
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_numpy_alone_can_read_it(path):
    with np.load(path, allow_pickle=False) as archive:
        assert (
            archive["params/fc2.a.weight"].tobytes() == example().params["fc2.a.weight"].tobytes()
        )
        assert json.loads(str(archive["about"]))["recipe"] == {"rate": 0.1}


def test_a_missing_one_is_named(tmp_path):
    assert refusal(tmp_path / "nothing.npz").endswith("no such checkpoint")
    assert refusal(tmp_path).endswith("no such checkpoint")


def test_a_truncated_one_is_refused_at_any_length(path):
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 30).astype(int):
        path.write_bytes(whole[:length])
        assert "not a checkpoint, or a damaged one" in refusal(path)


def flipped(content, rng):
    place = rng.integers(len(content))
    content[place] ^= 1 << rng.integers(8)


def cut_out(content, rng):
    place = rng.integers(len(content))
    del content[place : place + rng.integers(1, 200)]


def put_in(content, rng):
    place = rng.integers(len(content))
    content[place:place] = rng.bytes(rng.integers(1, 200))


def overwritten(content, rng):
    place, length = rng.integers(len(content)), rng.integers(1, 200)
    content[place : place + length] = bytes(length)


@pytest.mark.parametrize("damage", [flipped, cut_out, put_in, overwritten])
def test_a_damaged_one_is_refused_or_nothing_that_matters_changed(path, damage):
    """125 times each: 500 damaged files."""
    whole = path.read_bytes()
    rng = np.random.default_rng([ord(letter) for letter in damage.__name__])
    refused = 0
    for _ in range(125):
        damaged = bytearray(whole)
        damage(damaged, rng)
        path.write_bytes(damaged)
        try:
            loaded = checkpoint.load(path)
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert equal(loaded, example())
    assert refused > 60


def test_a_flipped_bit_in_any_weight_is_refused(path):
    whole = path.read_bytes()
    weights = example().params["fc2.a.weight"].tobytes()
    start = whole.index(weights)
    for place in range(start, start + len(weights)):
        damaged = bytearray(whole)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        assert "damaged" in refusal(path)


def test_a_flipped_bit_in_the_header_of_an_array_is_refused(tmp_path):
    """Also one that claims a smaller array, whose end NumPy would not read, nor its checksum."""
    path = tmp_path / "checkpoint.npz"
    long = {"long": np.arange(50_000, dtype=np.float32)}
    checkpoint.save(path, Checkpoint(long, {}, np.zeros((2, 2, 3), np.float32), {}))
    whole = path.read_bytes()
    start = whole.rindex(b"\x93NUMPY", 0, whole.index(b"(50000,)"))
    for place in range(start, start + 128):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            path.write_bytes(damaged)
            assert "damaged" in refusal(path)


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the checkpoint was executed",))


def test_pickles_are_refused_and_never_executed(path):
    np.savez(path, about=np.array(json.dumps({"format": 1})), mean=np.array([Bomb()], object))
    assert "not a checkpoint" in refusal(path)
    path.write_bytes(pickle.dumps(Bomb()))
    assert "not a checkpoint" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"weights", b"PK\5\6" + 18 * b"\0"])
def test_what_is_no_archive_of_arrays_is_refused(path, content):
    path.write_bytes(content)
    assert "not a checkpoint" in refusal(path)


def test_an_archive_of_other_arrays_is_refused(path):
    np.savez(path, weights=np.zeros(3))
    assert "not a checkpoint" in refusal(path)
    np.save(path.with_suffix(".npy"), np.zeros(3))
    assert "not a checkpoint" in refusal(path.with_suffix(".npy"))


def test_another_format_and_missing_parts_are_refused(path):
    with np.load(path) as archive:
        arrays = dict(archive)
    fewer = {name: array for name, array in arrays.items() if name != "params/conv1.bias"}
    np.savez(path, **fewer)
    assert "another format or lacks parts" in refusal(path)
    about = json.loads(str(arrays["about"])) | {"format": 2}
    np.savez(path, **arrays | {"about": np.array(json.dumps(about))})
    assert "another format or lacks parts" in refusal(path)


# ---------------------------------------------------------------- the last and the one before


def state(step):
    """A state that says at which step it was saved."""
    one = example()
    one.about["progress"]["step"] = step
    return one


def step_of(found):
    return found.about["progress"]["step"]


def test_the_last_and_the_one_before_are_kept(tmp_path):
    for step in range(4):
        checkpoint.save_last(tmp_path, state(step))
        saved, path, wrong = checkpoint.load_last(tmp_path)
        assert (step_of(saved), path.name, wrong) == (step, "checkpoint.npz", "")
        if step:
            assert step_of(checkpoint.load(tmp_path / "previous.npz")) == step - 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.npz", "previous.npz"]


def test_a_damaged_last_one_gives_way_and_does_not_become_the_one_before(tmp_path):
    for step in range(3):
        checkpoint.save_last(tmp_path, state(step))
    last = tmp_path / "checkpoint.npz"
    last.write_bytes(last.read_bytes()[:-10])
    saved, path, wrong = checkpoint.load_last(tmp_path)
    assert (step_of(saved), path.name) == (1, "previous.npz")
    assert wrong.startswith(f"{last}: not a checkpoint, or a damaged one")
    checkpoint.save_last(tmp_path, state(2), keep=False)
    assert step_of(checkpoint.load(last)) == 2
    assert step_of(checkpoint.load(tmp_path / "previous.npz")) == 1


def test_two_damaged_ones_are_both_named(tmp_path):
    for step in range(2):
        checkpoint.save_last(tmp_path, state(step))
    for name in ("checkpoint.npz", "previous.npz"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError) as caught:
        checkpoint.load_last(tmp_path)
    assert f"{tmp_path / 'checkpoint.npz'}: " in str(caught.value)
    assert f"and the one before it: {tmp_path / 'previous.npz'}: " in str(caught.value)


def test_a_folder_without_a_state_holds_no_run(tmp_path):
    with pytest.raises(InputError, match=r"holds no run: checkpoint\.npz is missing"):
        checkpoint.load_last(tmp_path)


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", range(5))
def test_whenever_saving_is_cut_short_both_are_there(tmp_path, monkeypatch, moment):
    """Every change of a name, and the writing, is a moment; the last one is after all of them."""
    for step in range(2):
        checkpoint.save_last(tmp_path, state(step))
    calls = []

    def cut_short(function):
        def called(*given, **named):
            calls.append(function.__name__)
            if len(calls) == moment + 1:
                raise Killed
            return function(*given, **named)

        return called

    with monkeypatch.context() as patch:
        for owner, name in (
            (checkpoint.os, "link"),
            (checkpoint.Path, "replace"),
            (checkpoint.np, "savez"),
        ):
            patch.setattr(owner, name, cut_short(getattr(owner, name)))
        try:
            checkpoint.save_last(tmp_path, state(2))
        except Killed:
            assert moment < 4
        else:
            assert moment == 4
    steps = [step_of(checkpoint.load(tmp_path / n)) for n in ("checkpoint.npz", "previous.npz")]
    assert steps == [[1, 0], [1, 0], [1, 1], [1, 1], [2, 1]][moment]
    assert calls[:4] == ["link", "replace", "savez", "replace"][: moment + 1]
    checkpoint.save_last(tmp_path, state(3))
    assert step_of(checkpoint.load_last(tmp_path)[0]) == 3
    assert len(list(tmp_path.iterdir())) == 2


def test_where_files_have_one_name_they_are_copied(tmp_path, monkeypatch):
    def refused(*given):
        raise OSError("no links here")

    monkeypatch.setattr(checkpoint.os, "link", refused)
    for step in range(3):
        checkpoint.save_last(tmp_path, state(step))
    assert step_of(checkpoint.load(tmp_path / "previous.npz")) == 1
    assert step_of(checkpoint.load(tmp_path / "checkpoint.npz")) == 2


# ---------------------------------------------------------------- into a network


def given(params):
    net = tiny.network()
    before = net.params
    saved = Checkpoint(params, {}, np.zeros((8, 8, 3), np.float32), {})
    with pytest.raises(InputError) as caught:
        checkpoint.give(net, saved, device("cpu"), "x.npz")
    assert net.params.keys() == before.keys()
    assert all(net.params[name] is before[name] for name in before)
    return str(caught.value)


def test_a_network_takes_its_own_parameters():
    net, other = tiny.network(seed=0), tiny.network(seed=1)
    saved = Checkpoint(other.params, {}, np.zeros((8, 8, 3), np.float32), {})
    assert not tiny.same(net.params, other.params)
    checkpoint.give(net, saved, device("cpu"), "x.npz")
    assert tiny.same(net.params, other.params)


def test_another_networks_parameters_are_refused_by_name():
    params = tiny.network().params
    message = "x.npz: a checkpoint of another network: "
    more = params | {"fc3.bias": np.zeros(2)}
    assert given(more) == message + "fc3.bias should be absent, is (2,)"
    fewer = {name: array for name, array in params.items() if name != "fc2.bias"}
    assert given(fewer) == message + "fc2.bias should be (3,), is absent"
    other = params | {"conv1.bias": np.zeros(5)}
    assert given(other) == message + "conv1.bias should be (4,), is (5,)"


# ---------------------------------------------------------------- a full disk

# The largest size of a file that the process may write stands in for the end of the disk.
LIMITED = textwrap.dedent(
    """
    import resource, signal, sys
    from minialexnet.__main__ import main
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
    sys.exit(main(sys.argv[2:]))
    """
)


def on_a_full_disk(*words, room=100_000):
    pytest.importorskip("resource")
    command = [sys.executable, "-c", LIMITED, str(room), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_full_disk_leaves_the_old_checkpoints(data_folder, tmp_path):
    run = tmp_path / "run"
    command = ["train", "--data", data_folder, "--out", run, "--epochs", 1]
    begun = on_a_full_disk(*command, room=2_000_000)
    assert begun.returncode == 0, begun.stderr
    saved = checkpoint.load(run / "checkpoint.npz")
    saved.about["recipe"]["epochs"] = 2
    checkpoint.save(run / "checkpoint.npz", saved)
    before = tiny.contents(run)

    ended = on_a_full_disk("train", "--resume", "--out", run)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith(f"minialexnet: error: {run}/")
    assert ended.stderr.endswith(".npz: File too large\n")
    after = tiny.contents(run)
    assert after.keys() == before.keys()
    for name in ("checkpoint.npz", "best.npz"):
        assert after[str(run / name)] == before[str(run / name)]


def test_a_run_that_cannot_begin_leaves_nothing(data_folder, tmp_path):
    ended = on_a_full_disk("train", "--data", data_folder, "--out", tmp_path / "run")
    assert ended.returncode == 2
    assert ended.stderr == f"minialexnet: error: {tmp_path}/run/checkpoint.npz: File too large\n"
    assert tiny.contents(tmp_path) == {}


def test_a_folder_that_was_there_stays_there(data_folder, tmp_path):
    ended = on_a_full_disk("train", "--data", data_folder, "--out", tmp_path)
    assert ended.returncode == 2
    assert tmp_path.is_dir()
    assert tiny.contents(tmp_path) == {}
