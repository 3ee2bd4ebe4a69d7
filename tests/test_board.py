"""The curves for TensorBoard: the rows of the log, as TensorBoard would read them."""

import csv
import struct

import pytest

from minialexnet import board
from minialexnet.__main__ import main
from minialexnet.errors import InputError


def events(folder):
    """(step, name, value) of all scalars in the files of events, as TensorBoard's format has it."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    found = []
    for path in sorted(folder.glob("events.*")):
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            event = event_pb2.Event.FromString(content[12 : 12 + length])
            found += [(event.step, one.tag, one.simple_value) for one in event.summary.value]
            content = content[16 + length :]
    return found


def test_the_rows_of_the_log_are_written(data_folder, tmp_path):
    pytest.importorskip("tensorboardX")
    folder = tmp_path / "run"
    numbers = ["--epochs", "2", "--batch", "8", "--rate", "0.01", "--schedule", "constant"]
    words = ["train", "--data", str(data_folder), "--out", str(folder), *numbers]
    assert main([*words, "--tensorboard"]) == 0
    assert main(["train", "--resume", "--out", str(folder), "--epochs", "3", "--tensorboard"]) == 0
    with (folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    expected = {
        (int(row["epoch"]), name): float(value)
        for row in rows
        for name, value in row.items()
        if name != "epoch"
    }
    found = {(step, name): value for step, name, value in events(folder)}
    assert found.keys() == expected.keys()
    assert all(found[key] == pytest.approx(expected[key], rel=1e-6) for key in expected)
    assert {step for step, _ in found} == {1, 2, 3}


def test_without_tensorboardx_it_is_refused_before_anything_is_made(
    data_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(board, "find_spec", lambda name: None)
    words = ["train", "--data", str(data_folder), "--out", str(tmp_path / "run"), "--tensorboard"]
    assert main(words) == 2
    assert capsys.readouterr().err == (
        "minialexnet: error: --tensorboard needs tensorboardX: "
        'pip install "minialexnet[tensorboard]"\n'
    )
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError):
        board.demand_installed()
