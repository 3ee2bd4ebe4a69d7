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


def test_a_flipped_bit_is_refused_or_changes_nothing(path):
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place, bit in zip(
        rng.integers(len(whole), size=300), rng.integers(8, size=300), strict=True
    ):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            loaded = checkpoint.load(path)
        except InputError as error:
            assert "\n" not in str(error)
            refused += 1
        else:
            assert equal(loaded, example()), (place, bit)
    assert refused > 150


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
